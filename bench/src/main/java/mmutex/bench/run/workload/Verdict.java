package mmutex.bench.run.workload;

import java.util.List;

/**
 * What an oracle found.
 *
 * @param unit what is counted, in the plural
 * @param counts what was compared, one entry for each counter or kind of operation
 * @param conditions what else had to hold
 * @param mustLose the workload proves that the oracle sees lost updates: finding none is its failure
 */
public record Verdict(String unit, List<Count> counts, List<Condition> conditions, boolean mustLose) {
    /**
     * One comparison.
     *
     * @param name for people
     * @param expected by what the actors say they did
     * @param found in memory
     * @param lost updates that are known to be missing; not 0 if anything is wrong
     */
    public record Count(String name, long expected, long found, long lost) {
        /** A count in which each missing unit is a lost update. */
        static Count of(final String name, final long expected, final long found) {
            return new Count(name, expected, found, Math.abs(expected - found));
        }
    }

    /**
     * Something that holds or does not.
     *
     * @param text for people, figures included
     */
    public record Condition(String text, boolean holds) {}

    /** Sum over the counts. */
    public long expected() {
        return counts.stream().mapToLong(Count::expected).sum();
    }

    /** Sum over the counts. */
    public long found() {
        return counts.stream().mapToLong(Count::found).sum();
    }

    /** Sum over the counts. */
    public long lost() {
        return counts.stream().mapToLong(Count::lost).sum();
    }

    /** Whether the workload ended as it must. */
    public boolean holds() {
        return lost() != 0 == mustLose && conditions.stream().allMatch(Condition::holds);
    }
}
