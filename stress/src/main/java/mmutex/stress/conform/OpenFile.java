package mmutex.stress.conform;

import mmutex.device.MirrorHandle;
import mmutex.mm.Task;

/**
 * An open file of a device, as file descriptors share it: a fork gives the child a descriptor of its own, and the last
 * one that is closed closes the handle.
 */
final class OpenFile {
    private final MirrorHandle handle;
    private int descriptors = 1;

    OpenFile(final MirrorHandle handle) {
        this.handle = handle;
    }

    MirrorHandle handle() {
        return handle;
    }

    /** One more descriptor. */
    OpenFile inherit() {
        descriptors++;
        return this;
    }

    /** One descriptor less. */
    void close(final Task task) {
        descriptors--;
        if (descriptors == 0) {
            handle.close(task);
        }
    }
}
