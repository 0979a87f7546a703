package mmutex.bench.run;

import java.util.EnumMap;
import java.util.Map;
import mmutex.bench.anatomy.AnatomyProbe;
import mmutex.bench.anatomy.Phases;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * The durations of one actor's path. Totals may be drained while it is being written; phases are read when the actor has
 * ended. Recording allocates nothing and is wait-free.
 */
final class PathRecorder implements AnatomyProbe.Listener {
    /** Longer durations count as this long. */
    static final long NS_MAX = 60_000_000_000L;

    private static final int DIGITS = 3;

    private final Path path;
    private final SingleWriterRecorder totals = new SingleWriterRecorder(NS_MAX, DIGITS);
    private final Map<Phase, Histogram> phases = new EnumMap<>(Phase.class);
    private final Phase[] order;
    private final Histogram[] byOrder;
    private Histogram recycled;
    private long runs;

    PathRecorder(final Path path) {
        this.path = path;
        this.order = Phases.of(path).toArray(Phase[]::new);
        this.byOrder = new Histogram[order.length];
        for (int i = 0; i < order.length; i++) {
            byOrder[i] = newHistogram();
            phases.put(order[i], byOrder[i]);
        }
    }

    /** A histogram of nanoseconds with the range and precision of all of them. */
    static Histogram newHistogram() {
        return new Histogram(NS_MAX, DIGITS);
    }

    Path path() {
        return path;
    }

    /** The actor's thread: one run of the path, with the time spent in each phase by {@link Phase#ordinal}. */
    void record(final long totalNs, final long[] spentNs) {
        runs++;
        totals.recordValue(Math.min(totalNs, NS_MAX));
        for (int i = 0; i < order.length; i++) {
            byOrder[i].recordValue(Math.min(spentNs[order[i].ordinal()], NS_MAX));
        }
    }

    /** The actor's thread: one run of which only the whole is known. */
    @Override
    public void whole(final long totalNs) {
        runs++;
        totals.recordValue(Math.min(totalNs, NS_MAX));
    }

    /** The actor's thread: one run of the path, with the time spent in each phase in order. */
    @Override
    public void parts(final long totalNs, final long[] spentNs) {
        whole(totalNs);
        for (int i = 0; i < order.length; i++) {
            byOrder[i].recordValue(Math.min(spentNs[i], NS_MAX));
        }
    }

    /** Another thread, always the same: adds the totals since the last call to {@code sum}. */
    void drainTo(final Histogram sum) {
        recycled = totals.getIntervalHistogram(recycled);
        sum.add(recycled);
    }

    /** Runs recorded, once the actor has ended. */
    long count() {
        return runs;
    }

    /** The phases' durations, once the actor has ended. */
    Map<Phase, Histogram> phases() {
        return phases;
    }
}
