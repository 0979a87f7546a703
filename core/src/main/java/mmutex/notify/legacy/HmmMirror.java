package mmutex.notify.legacy;

import mmutex.notify.NotifierRange;
import mmutex.sync.Actor;

/**
 * A driver's share in an address space: {@code struct hmm_mirror_ops}, include/linux/hmm.h (5.3).
 *
 * <p>Threads: called by whoever changes entries, with its locks and the mirrors' semaphore, shared.
 */
public interface HmmMirror {
    /**
     * sync_cpu_device_pagetables: drops what the device maps of the range, and returns when no access through it is in
     * progress.
     *
     * @return false (-EAGAIN) only for a non-blockable range
     */
    boolean syncCpuDevicePagetables(Actor actor, NotifierRange update);

    /** The address space is going away. */
    default void release(final Actor actor) {}
}
