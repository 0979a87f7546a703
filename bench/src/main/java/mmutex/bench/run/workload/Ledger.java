package mmutex.bench.run.workload;

/**
 * What each actor says it did to each counter: a row per actor, written by its thread alone, summed up when all have
 * ended. The lanes of a device share a row.
 */
final class Ledger {
    /** Unused words at both ends of a row: rows of different actors share no cache line. */
    private static final int PADDING = 16;

    private final int counters;
    private final Row[] rows;

    Ledger(final int actors, final int counters) {
        this.counters = counters;
        this.rows = new Row[actors];
    }

    /** An actor's row; called by the actor's thread. */
    Row row(final int actor) {
        if (rows[actor] == null) {
            rows[actor] = new Row(counters);
        }
        return rows[actor];
    }

    /** Sum over all actors. */
    long sum(final int counter) {
        long sum = 0;
        for (final Row row : rows) {
            sum += row == null ? 0 : row.get(counter);
        }
        return sum;
    }

    /** One actor's amounts. */
    static final class Row {
        private final long[] amounts;

        private Row(final int counters) {
            this.amounts = new long[counters + 2 * PADDING];
        }

        void add(final int counter, final long amount) {
            amounts[PADDING + counter] += amount;
        }

        long get(final int counter) {
            return amounts[PADDING + counter];
        }
    }
}
