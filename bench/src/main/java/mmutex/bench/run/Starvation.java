package mmutex.bench.run;

/**
 * How long a device gets nothing done: from an operation that misses until the next one, of any lane, that is complete. The
 * clock is read at the ends of such waits only. Used by one thread.
 */
final class Starvation {
    private boolean waiting;
    private long since;
    private long totalNs;
    private long longestNs;

    /**
     * What came out of it.
     *
     * @param totalNs sum of all waits
     * @param longestNs the longest
     */
    record Figures(long totalNs, long longestNs) {
        static final Figures NONE = new Figures(0, 0);
    }

    /** A lane was asked for an operation; whether it completed one. */
    void stepped(final boolean complete) {
        if (complete == waiting) {
            turn(System.nanoTime());
        }
    }

    /** A wait begins or ends. */
    void turn(final long now) {
        if (waiting) {
            final long ns = now - since;
            totalNs += ns;
            longestNs = Math.max(longestNs, ns);
        }
        waiting = !waiting;
        since = now;
    }

    /** Once the device has ended, perhaps while it waited. */
    Figures figures(final long end) {
        if (waiting) {
            turn(end);
        }
        return new Figures(totalNs, longestNs);
    }
}
