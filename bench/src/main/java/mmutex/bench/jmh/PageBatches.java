package mmutex.bench.jmh;

import mmutex.fault.Signal;
import mmutex.machine.Cpu;

/**
 * A {@link PageRange} for harnesses other than JMH: whole batches at a call, driven as the benchmarks here drive it.
 *
 * <p>Threads: one. With {@link Subscriber#RING} a second one serves the device's ring until {@link #close}.
 */
public final class PageBatches implements AutoCloseable {
    private final PageRange range;
    private final Cpu cpu;
    private final long[] addresses;

    /** Builds a machine with so many touched pages. */
    public PageBatches(final Subscriber subscriber, final int pages) {
        range = new PageRange(subscriber, pages);
        cpu = range.cpu();
        addresses = range.addresses();
    }

    /** Pages in a batch. */
    public int pages() {
        return addresses.length;
    }

    /** Page faults taken so far: a batch of restores takes one a page. */
    public long faults() {
        return range.faults();
    }

    /** Makes all pages exclusive. */
    public void make() {
        range.giveAll();
    }

    /** Restores all of them, by a fetch-and-add each. */
    public void restore() {
        range.takeAll();
    }

    /** The same, each timed by itself: from before its access to behind it, in ns, clock included. */
    public void restoreEach(final long[] ns) {
        for (int i = 0; i < addresses.length; i++) {
            final long begin = System.nanoTime();
            final Signal signal = cpu.fetchAddLong(addresses[i], 1);
            ns[i] = System.nanoTime() - begin;
            check(signal);
        }
    }

    /** Makes and restores page by page. */
    public void pair() {
        for (int i = 0; i < addresses.length; i++) {
            range.giveAndTake(i);
        }
    }

    /** Loads from each page, so many times: TLB hits, if there are no more pages than the TLB knows. */
    public long load(final int times) {
        long sum = 0;
        for (int i = 0; i < times; i++) {
            for (final long addr : addresses) {
                check(cpu.loadLong(addr));
                sum += cpu.value();
            }
        }
        return sum;
    }

    @Override
    public void close() {
        try {
            range.close();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void check(final Signal signal) {
        if (signal != Signal.NONE) {
            throw new IllegalStateException("a benchmark's access failed: " + signal);
        }
    }
}
