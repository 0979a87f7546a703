package mmutex.bench.torture.op;

import java.util.concurrent.atomic.AtomicLongArray;

/** What has been added to the counters, by everybody, after the fact. Any thread. */
public final class Counters {
    /** Pages of counters. */
    public static final int PAGES = 3;

    /** Counters in each page. */
    public static final int PER_PAGE = 4;

    private static final int COUNT = PAGES * PER_PAGE;
    private static final int SPACING = 16; // words: a pair of cache lines for each

    private final AtomicLongArray added = new AtomicLongArray(COUNT * SPACING);

    public static int count() {
        return COUNT;
    }

    /** Where a counter is. */
    public static long addr(final int counter) {
        final long page = World.COUNTERS + (long) (counter / PER_PAGE) * World.PAGE;
        return page + (long) (counter % PER_PAGE) * Long.BYTES;
    }

    /** An addition of 1 was performed. */
    public void added(final int counter) {
        added.incrementAndGet(counter * SPACING);
    }

    /** Additions that are known to have been performed. */
    public long sum(final int counter) {
        return added.get(counter * SPACING);
    }
}
