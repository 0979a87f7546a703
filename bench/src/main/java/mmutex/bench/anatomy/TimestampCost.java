package mmutex.bench.anatomy;

import java.util.function.LongSupplier;
import mmutex.sync.PhaseProbe;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;

/**
 * What an interval between two time stamps lasts when nothing happens in between: the clock, and the probe around it.
 *
 * @param markNs between two marks of a path that is timed phase by phase
 * @param wholeNs between the ends of a path that is timed as a whole
 */
public record TimestampCost(double markNs, double wholeNs) {
    /** Of a clock that costs nothing. */
    public static final TimestampCost NONE = new TimestampCost(0, 0);

    /** Rounds go on until for so long none was better than the best before by more than a hundredth. */
    private static final long IN_VAIN_NS = 400_000_000;

    /** On a machine that is never quiet. */
    private static final long LONGEST_NS = 5_000_000_000L;

    private static final double BETTER = 0.99;

    private static final int PATHS = 500;

    /**
     * Runs empty paths through the probe that measures full ones, round after round, until the code is compiled and hot, and
     * takes the best round of each kind. Of a round the mean: a clock that ticks in steps of many ns is averaged. The best
     * one: interrupts and other work on the machine only ever make a round longer. By time and not by rounds, because a
     * busy machine compiles late. Takes about half a second.
     */
    public static TimestampCost measure(final LongSupplier clock) {
        double mark = Double.MAX_VALUE;
        double whole = Double.MAX_VALUE;
        final long start = clock.getAsLong();
        long improved = start;
        for (long now = start; now - improved < IN_VAIN_NS && now - start < LONGEST_NS; now = clock.getAsLong()) {
            final double newMark = emptyNs(clock, AnatomyProbe.ALWAYS);
            final double newWhole = emptyNs(clock, AnatomyProbe.NEVER);
            if (newMark < BETTER * mark || newWhole < BETTER * whole) {
                improved = now;
            }
            mark = Math.min(mark, newMark);
            whole = Math.min(whole, newWhole);
        }
        return new TimestampCost(mark, whole);
    }

    /** The mean interval of empty restores. */
    private static double emptyNs(final LongSupplier clock, final int oneIn) {
        final Anatomy anatomy = new Anatomy(Path.RESTORE);
        final PhaseProbe probe = new AnatomyProbe(anatomy, AnatomyProbe.Listener.NONE, NONE, clock, oneIn, 1);
        for (int i = 0; i < PATHS; i++) {
            probe.begin(Path.RESTORE);
            probe.mark(Phase.FAULT_ENTRY);
            probe.mark(Phase.PAGE_LOCK);
            probe.mark(Phase.NOTIFY);
            probe.mark(Phase.PTE_RESTORE);
            probe.mark(Phase.NOTIFY_END);
            probe.end(Path.RESTORE, true);
        }
        return anatomy.meanInterval();
    }
}
