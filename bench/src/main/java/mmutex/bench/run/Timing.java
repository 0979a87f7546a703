package mmutex.bench.run;

import java.util.ArrayList;
import java.util.List;
import mmutex.bench.anatomy.Anatomy;
import mmutex.bench.anatomy.AnatomyProbe;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.TimestampCost;
import mmutex.sync.PhaseProbe;
import mmutex.sync.PhaseProbe.Path;

/**
 * How paths are timed: every run phase by phase, which is simple and shows each phase's distribution, or, with {@code
 * --phases}, so that phases can be held against a whole that nobody looks into. Used by the thread that sets the actors up.
 */
final class Timing {
    private final boolean dissects;
    private final TimestampCost cost;
    private final long seed;
    private final List<Anatomy> anatomies = new ArrayList<>();

    /** Measures what a time stamp costs, if that matters. */
    Timing(final RunOptions options) {
        this.dissects = options.phases();
        this.cost = dissects ? TimestampCost.measure(System::nanoTime) : TimestampCost.NONE;
        this.seed = options.seed();
    }

    /** A probe for one actor, who records there. */
    PhaseProbe probe(final PathRecorder recorder) {
        if (!dissects) {
            return new PathProbe(recorder, System::nanoTime);
        }
        final Anatomy anatomy = new Anatomy(recorder.path());
        anatomies.add(anatomy);
        // Another number for each actor, so that they don't look at the same runs of a common rhythm.
        return new AnatomyProbe(
                anatomy, recorder, cost, System::nanoTime, AnatomyProbe.ONE_IN, seed + anatomies.size());
    }

    /** What a path consists of over all actors, once they have ended; null unless asked for. */
    Breakdown breakdown(final Path path) {
        if (!dissects) {
            return null;
        }
        final Anatomy all = new Anatomy(path);
        anatomies.stream().filter(anatomy -> anatomy.path() == path).forEach(all::add);
        return Breakdown.of(all, cost);
    }
}
