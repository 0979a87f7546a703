package mmutex.bench.run;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;

/**
 * A path's durations over all actors.
 *
 * @param total of the whole path
 * @param phases of its parts
 */
record PathLatency(Path path, Histogram total, Map<Phase, Histogram> phases) {
    /** Sums up the phases of actors that have ended. */
    static PathLatency of(final Path path, final Histogram total, final List<PathRecorder> recorders) {
        final Map<Phase, Histogram> phases = new EnumMap<>(Phase.class);
        for (final Phase phase : Phases.of(path)) {
            final Histogram sum = PathRecorder.newHistogram();
            recorders.forEach(recorder -> sum.add(recorder.phases().get(phase)));
            phases.put(phase, sum);
        }
        return new PathLatency(path, total, phases);
    }
}
