package mmutex.device;

/**
 * Faults that a driver has taken off the buffer, sorted by page and kind of access (nouveau_svm_fault_cmp; the channel,
 * which it compares first, is the same for all lanes of a device). Reused; the worker's.
 */
final class FaultBatch {
    private static final int SIZE_MAX = 64;

    private final DeviceFault[] faults = new DeviceFault[SIZE_MAX];
    private final int pageShift;
    private final boolean weakestFirst;
    private int size;

    /** With the order of faults on one page: strongest first, as the kernel's comment has it, or weakest, as its code. */
    FaultBatch(final int pageShift, final boolean weakestFirst) {
        this.pageShift = pageShift;
        this.weakestFirst = weakestFirst;
    }

    /** Fills itself; returns the number of faults. */
    int take(final FaultQueue queue) {
        size = 0;
        for (DeviceFault fault; size < SIZE_MAX && (fault = queue.poll()) != null; size++) {
            int at = size;
            while (at > 0 && compare(faults[at - 1], fault) > 0) {
                faults[at] = faults[at - 1];
                at--;
            }
            faults[at] = fault;
        }
        return size;
    }

    int size() {
        return size;
    }

    DeviceFault get(final int position) {
        return faults[position];
    }

    boolean isSamePage(final DeviceFault a, final DeviceFault b) {
        return a.addr >>> pageShift == b.addr >>> pageShift;
    }

    private int compare(final DeviceFault a, final DeviceFault b) {
        final int byPage = Long.compareUnsigned(a.addr >>> pageShift, b.addr >>> pageShift);
        if (byPage != 0) {
            return byPage;
        }
        final int byKind = Integer.compare(strength(a.access), strength(b.access));
        return weakestFirst ? byKind : -byKind;
    }

    /** nouveau_svm_fault_priority. */
    static int strength(final DeviceAccess access) {
        return access == DeviceAccess.PREFETCH ? -1 : access.ordinal();
    }
}
