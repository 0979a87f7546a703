package mmutex.bench.baseline;

import java.util.Arrays;

/**
 * A device as the rivals have it: which pages it maps, and the callback that takes a mapping away. It answers only when no
 * access under the mapping is in progress.
 *
 * <p>Threads: any. Called with the page's lock held by {@link #map} and {@link #revoke}, without one by {@link #add}: the
 * page's lock comes before the device's.
 */
class RivalDevice {
    private final boolean[] mapped; // under this

    RivalDevice(final int pages) {
        mapped = new boolean[pages];
    }

    static RivalDevice[] several(final int count, final int pages) {
        final RivalDevice[] devices = new RivalDevice[count];
        Arrays.setAll(devices, i -> new RivalDevice(pages));
        return devices;
    }

    /** The page is the device's alone from now on. */
    synchronized void map(final int page) {
        mapped[page] = true;
    }

    /** The subscriber's callback: when it returns, the device no longer reaches the page. */
    synchronized void revoke(final int page) {
        mapped[page] = false;
    }

    /** Load, compute, store, if the page is mapped. */
    synchronized boolean add(final PageCounters counters, final int page, final long delta) {
        if (!mapped[page]) {
            return false;
        }
        counters.store(page, compute(counters.load(page), delta));
        return true;
    }

    /** What the device does between its load and its store. */
    long compute(final long value, final long delta) {
        return value + delta;
    }
}
