package mmutex.bench.targets;

import java.util.List;
import java.util.function.Function;

/**
 * A row: what of ours stands against which baseline, and how far it may be from it.
 *
 * @param name of the row
 * @param target what the ratio may be at most, or, of a {@code vs-} row, must be at least; NaN: it is only reported
 * @param limitNs what ours may be at most besides; NaN: no limit
 * @param measure the row's figures of one repetition; NaN for what is missing
 */
record Target(String name, double target, double limitNs, Function<Repetition, Figures> measure) {
    /** The row that counts bytes. */
    static final String ALLOCATION = "alloc-bytes";

    /** The row whose target is a difference: that of the ratio from 1 which counts as noise. */
    static final String SEAM = "seam-off";

    private static final double NO_LIMIT = Double.NaN;

    /**
     * Figures of one repetition.
     *
     * @param ours ns, or bytes where the row counts them
     * @param baseline the same
     */
    record Figures(double ours, double baseline) {}

    /** The rows, in the table's order. */
    static final List<Target> ALL = List.of(
            atMost("restore-vs-c", 1.25, r -> new Figures(r.ours("restore"), r.c("restore"))),
            atMost("make-vs-c", 1.25, r -> new Figures(r.ours("make"), r.c("make"))),
            atMost("pair-vs-c", 1.25, r -> new Figures(r.ours("pair"), r.c("pair"))),
            atMost("restore-vs-c-bare", Double.NaN, r -> new Figures(r.ours("restore"), r.protocol("restore-bare"))),
            atMost("restore-512-per-page", 1.2, r -> new Figures(r.ours("restore-512"), r.ours("restore"))),
            new Target("access-hit", 2.5, 12, r -> new Figures(r.ours("access-hit"), r.ours("fenced-store"))),
            atMost("ring-vs-c-pair", 2, r -> new Figures(r.ring("ring-restore"), r.roundTrip())),
            atLeast("vs-chm-1t", 1, r -> r.worst("CHM", 1, Repetition.FEW_PAGES)),
            atLeast("vs-chm-2t", 1, r -> r.worst("CHM", 2, Repetition.FEW_PAGES)),
            atLeast("vs-chm-256k", 2, r -> r.worst("CHM", 1, Repetition.MANY_PAGES)),
            atLeast("vs-stampedlock-1t", 1, r -> r.worst("STAMPED", 1, Repetition.FEW_PAGES)),
            atLeast("vs-userfaultfd", 20, r -> new Figures(r.ours("restore"), r.userfault())),
            atLeast("vs-sigsegv", 20, r -> new Figures(r.ours("restore"), r.sigsegv())),
            atMost(ALLOCATION, 0, r -> new Figures(r.ours("alloc"), Double.NaN)),
            atMost(SEAM, 0.02, r -> new Figures(r.ours("seam-with"), r.ours("seam-without"))));

    private static Target atMost(final String name, final double target, final Function<Repetition, Figures> measure) {
        return new Target(name, target, NO_LIMIT, measure);
    }

    private static Target atLeast(final String name, final double target, final Function<Repetition, Figures> measure) {
        return new Target(name, target, NO_LIMIT, measure);
    }

    /** For people. */
    String inWords() {
        if (name.equals(ALLOCATION)) {
            return "0 bytes";
        }
        if (name.equals(SEAM)) {
            return "1 +- " + target;
        }
        if (Double.isNaN(target)) {
            return "none";
        }
        final String ratio = (isAtLeast() ? ">= " : "<= ") + target;
        return Double.isNaN(limitNs) ? ratio : ratio + ", <= " + limitNs + " ns";
    }

    /** Whether more is better: the ratio says how many times faster ours is. */
    boolean isAtLeast() {
        return name.startsWith("vs-");
    }
}
