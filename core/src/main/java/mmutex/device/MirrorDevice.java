package mmutex.device;

import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * The kernel's test device: lib/test_hmm.c (6.12), semantics 3.24. A device file; {@link #open} gives a handle that acts
 * on the memory of the process that opened it, for good.
 */
public final class MirrorDevice {
    private final Platform platform;
    private final int number;

    /**
     * Creates a device.
     *
     * @param number tells the devices of a machine apart
     */
    public MirrorDevice(final Platform platform, final int number) {
        this.platform = platform;
        this.number = number;
    }

    /** Its number. */
    public int number() {
        return number;
    }

    /** Owner cookie of its device-private memory; never null, unlike the one it passes to make. */
    public long owner() {
        return number + 1L;
    }

    /** Opens the device on an address space: empty device table, subscribed to everything. */
    public MirrorHandle open(final Task task, final AddressSpace space) {
        return new MirrorHandle(task, this, platform, space);
    }
}
