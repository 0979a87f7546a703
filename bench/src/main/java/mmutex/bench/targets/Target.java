package mmutex.bench.targets;

import java.util.List;
import java.util.function.Function;
import mmutex.bench.nativefloor.Yardstick;

/**
 * A row: what of ours stands against which baseline, and how far it may be from it.
 *
 * @param name of the row
 * @param kind how its figures are judged
 * @param target the bound that its kind gives a meaning to; NaN: there is none
 * @param limitNs what ours may be at most besides; NaN: no limit
 * @param measure the row's figures of one repetition; NaN for what is missing
 */
record Target(String name, Kind kind, double target, double limitNs, Function<Repetition, Figures> measure) {
    /** How a row is judged. */
    enum Kind {
        /** Ours / baseline may be the target at most. */
        COST("<= "),
        /** Baseline / ours, how many times faster ours is, must be the target at least. */
        SPEED(">= "),
        /** Ours / baseline, which nobody has set a bound for. */
        REPORTED("none"),
        /** Ours / baseline may differ from 1 by the target, which counts as noise. */
        SAME("1 +- "),
        /** Bytes; without a baseline. */
        BYTES("0 bytes");

        private static final double BYTES_NOISE = 0.005;

        private final String words;

        Kind(final String words) {
            this.words = words;
        }

        double ratio(final Figures figures) {
            return this == SPEED ? figures.baseline / figures.ours : figures.ours / figures.baseline;
        }

        /** Null: nothing was promised. */
        Boolean isMet(final double target, final TargetResult result) {
            switch (this) {
                case COST:
                    return result.ratio() <= target;
                case SPEED:
                    return result.ratio() >= target;
                case SAME:
                    return result.low() <= 1 + target && result.high() >= 1 - target && result.ratio() <= 1 + target;
                case BYTES:
                    return result.ours() < BYTES_NOISE;
                default:
                    return null;
            }
        }
    }

    private static final double NONE = Double.NaN;

    /**
     * Figures of one repetition.
     *
     * @param ours ns, or bytes where the row counts them
     * @param baseline the same
     */
    record Figures(double ours, double baseline) {}

    /** The rows, in the table's order. */
    static final List<Target> ALL = List.of(
            new Target(
                    "restore-vs-c",
                    Kind.COST,
                    1.25,
                    NONE,
                    r -> new Figures(r.ours("restore"), r.c("restore", Yardstick.RESTORE))),
            new Target(
                    "make-vs-c", Kind.COST, 1.25, NONE, r -> new Figures(r.ours("make"), r.c("make", Yardstick.MAKE))),
            new Target(
                    "pair-vs-c", Kind.COST, 1.25, NONE, r -> new Figures(r.ours("pair"), r.c("pair", Yardstick.PAIR))),
            new Target(
                    "restore-vs-c-bare",
                    Kind.REPORTED,
                    NONE,
                    NONE,
                    r -> new Figures(r.ours("restore"), r.protocol("restore-bare"))),
            new Target(
                    "restore-512-per-page",
                    Kind.COST,
                    1.2,
                    NONE,
                    r -> new Figures(r.ours("restore-512"), r.ours("restore"))),
            new Target(
                    "access-hit", Kind.COST, 2.5, 12, r -> new Figures(r.ours("access-hit"), r.ours("fenced-store"))),
            new Target("ring-vs-c-pair", Kind.COST, 2, NONE, r -> new Figures(r.ring("ring-restore"), r.roundTrip())),
            new Target("vs-chm-1t", Kind.SPEED, 1, NONE, r -> r.worst("CHM", 1, Repetition.FEW_PAGES)),
            new Target("vs-chm-2t", Kind.SPEED, 1, NONE, r -> r.worst("CHM", 2, Repetition.FEW_PAGES)),
            new Target("vs-chm-256k", Kind.SPEED, 2, NONE, r -> r.worst("CHM", 1, Repetition.MANY_PAGES)),
            new Target("vs-stampedlock-1t", Kind.SPEED, 1, NONE, r -> r.worst("STAMPED", 1, Repetition.FEW_PAGES)),
            new Target("vs-userfaultfd", Kind.SPEED, 20, NONE, r -> new Figures(r.ours("restore"), r.userfault())),
            new Target("vs-sigsegv", Kind.SPEED, 20, NONE, r -> new Figures(r.ours("restore"), r.sigsegv())),
            new Target("alloc-bytes", Kind.BYTES, 0, NONE, r -> new Figures(r.ours("alloc"), Double.NaN)),
            new Target(
                    "seam-off", Kind.SAME, 0.02, NONE, r -> new Figures(r.ours("seam-with"), r.ours("seam-without"))));

    /** For people. */
    String inWords() {
        final String bound = kind == Kind.REPORTED || kind == Kind.BYTES ? kind.words : kind.words + target;
        return Double.isNaN(limitNs) ? bound : bound + ", <= " + limitNs + " ns";
    }
}
