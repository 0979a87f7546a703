package mmutex.device;

import mmutex.mm.Errno;
import mmutex.mm.Task;

/** Where a request's data comes from or goes to: user memory, or memory outside the emulation. */
public interface DeviceBuffer {
    /** copy_to_user: EFAULT if the target can't be written. */
    Errno copyOut(Task task, byte[] from, int length);

    /** copy_from_user: EFAULT if the source can't be read. */
    Errno copyIn(Task task, byte[] to, int length);

    /** A buffer in memory outside the emulation, always there. */
    static DeviceBuffer ofArray(final byte[] array) {
        return new DeviceBuffer() {
            @Override
            public Errno copyOut(final Task task, final byte[] from, final int length) {
                System.arraycopy(from, 0, array, 0, length);
                return Errno.OK;
            }

            @Override
            public Errno copyIn(final Task task, final byte[] to, final int length) {
                System.arraycopy(array, 0, to, 0, length);
                return Errno.OK;
            }
        };
    }

    /** A buffer that isn't mapped. */
    static DeviceBuffer unmapped() {
        return new DeviceBuffer() {
            @Override
            public Errno copyOut(final Task task, final byte[] from, final int length) {
                return Errno.EFAULT;
            }

            @Override
            public Errno copyIn(final Task task, final byte[] to, final int length) {
                return Errno.EFAULT;
            }
        };
    }
}
