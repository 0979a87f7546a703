package mmutex.bench.baseline;

/**
 * The rivals' pages, 4 KiB each, with a counter in each, as a device sees them: plain memory, which it loads and stores
 * while it has the page.
 */
interface PageCounters {
    /** Longs in a page. */
    int PAGE_LONGS = 512;

    int LINE_LONGS = 8;
    int LINES_MASK = 63;

    /** Where the counter is in its page: in each in another line, since lines a page apart share a cache set. */
    static int offset(final int page) {
        return (page & LINES_MASK) * LINE_LONGS;
    }

    long load(int page);

    void store(int page, long value);
}
