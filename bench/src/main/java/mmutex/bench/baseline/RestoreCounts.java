package mmutex.bench.baseline;

/** A counter for each CPU, apart from each other. */
final class RestoreCounts {
    private static final int STRIDE = 16; // 128 bytes: lines are fetched in pairs

    private final long[] counts;

    RestoreCounts(final int cpus) {
        counts = new long[(cpus + 1) * STRIDE];
    }

    void add(final int cpu) {
        counts[(cpu + 1) * STRIDE]++;
    }

    long get(final int cpu) {
        return counts[(cpu + 1) * STRIDE];
    }
}
