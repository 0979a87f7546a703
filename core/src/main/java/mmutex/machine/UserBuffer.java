package mmutex.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.device.DeviceBuffer;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.Task;

/**
 * A request's buffer in the memory of the process that makes it: copy_to_user and copy_from_user are accesses like
 * others, they fault and restore. The requesting task must be a {@link Cpu} that runs the process.
 */
public final class UserBuffer implements DeviceBuffer {
    private final long addr;

    /** A buffer at an address, 4-byte aligned. */
    public UserBuffer(final long addr) {
        this.addr = addr;
    }

    @Override
    public Errno copyOut(final Task task, final byte[] from, final int length) {
        final Cpu cpu = (Cpu) task;
        final ByteBuffer source = ByteBuffer.wrap(from).order(ByteOrder.nativeOrder());
        for (int i = 0; i < length; i += Integer.BYTES) {
            if (cpu.storeInt(addr + i, source.getInt(i)) != Signal.NONE) {
                return Errno.EFAULT;
            }
        }
        return Errno.OK;
    }

    @Override
    public Errno copyIn(final Task task, final byte[] to, final int length) {
        final Cpu cpu = (Cpu) task;
        final ByteBuffer target = ByteBuffer.wrap(to).order(ByteOrder.nativeOrder());
        for (int i = 0; i < length; i += Integer.BYTES) {
            if (cpu.loadInt(addr + i) != Signal.NONE) {
                return Errno.EFAULT;
            }
            target.putInt(i, (int) cpu.value());
        }
        return Errno.OK;
    }
}
