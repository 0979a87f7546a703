package mmutex.bench.run;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.Phases;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;

/**
 * A path's durations over all actors.
 *
 * @param total of the whole path
 * @param phases of its parts
 * @param breakdown what the path's time consists of; null unless asked for
 */
record PathLatency(Path path, Histogram total, Map<Phase, Histogram> phases, Breakdown breakdown) {
    /** Sums up the phases of actors that have ended. */
    static PathLatency of(
            final Path path, final Histogram total, final List<PathRecorder> recorders, final Breakdown breakdown) {
        final Map<Phase, Histogram> phases = new EnumMap<>(Phase.class);
        for (final Phase phase : Phases.of(path)) {
            final Histogram sum = PathRecorder.newHistogram();
            recorders.forEach(recorder -> sum.add(recorder.phases().get(phase)));
            phases.put(phase, sum);
        }
        return new PathLatency(path, total, phases, breakdown);
    }
}
