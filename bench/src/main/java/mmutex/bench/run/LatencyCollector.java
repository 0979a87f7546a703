package mmutex.bench.run;

import java.util.List;
import mmutex.bench.anatomy.Breakdown;
import mmutex.sync.PhaseProbe.Path;
import org.HdrHistogram.Histogram;

/**
 * Gathers a path's totals from the actors that record them, while they run: an interval at a time, for the log, and all
 * together. Used by one thread.
 */
final class LatencyCollector {
    private final Path path;
    private final List<PathRecorder> recorders;
    private final Histogram total = PathRecorder.newHistogram();
    private final Histogram interval = PathRecorder.newHistogram();

    LatencyCollector(final Path path, final List<PathRecorder> recorders) {
        this.path = path;
        this.recorders = recorders;
    }

    Path path() {
        return path;
    }

    /** What was recorded since the last call. The next call reuses the histogram. */
    Histogram drain() {
        interval.reset();
        recorders.forEach(recorder -> recorder.drainTo(interval));
        total.add(interval);
        return interval;
    }

    /** What has been drained so far. */
    Histogram total() {
        return total;
    }

    /** Total and phases, once the actors have ended and the last interval is drained; {@code breakdown} may be null. */
    PathLatency latency(final Breakdown breakdown) {
        return PathLatency.of(path, total, recorders, breakdown);
    }
}
