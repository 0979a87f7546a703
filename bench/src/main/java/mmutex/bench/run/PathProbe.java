package mmutex.bench.run;

import java.util.Arrays;
import java.util.function.LongSupplier;
import mmutex.bench.anatomy.Phases;
import mmutex.sync.PhaseProbe;

/**
 * Times one of an actor's paths, phase by phase. What belongs to the other path is ignored, so its time counts for the
 * phase it interrupts: a maker's page getter restores entries itself, and CPUs take faults that restore nothing.
 *
 * <p>A path that has to repeat a phase (a retry) gets the sum. Paths that did not run to their end are dropped. Allocates
 * nothing. Threads: the actor's own.
 */
final class PathProbe implements PhaseProbe {
    private final PathRecorder recorder;
    private final Path path;
    private final LongSupplier clock;
    private final long[] spent = new long[Phase.values().length];
    private boolean inside;
    private long start;
    private long last;

    /**
     * Creates a probe.
     *
     * @param recorder for the path of which the probe works
     * @param clock monotonic nanoseconds
     */
    PathProbe(final PathRecorder recorder, final LongSupplier clock) {
        this.recorder = recorder;
        this.path = recorder.path();
        this.clock = clock;
    }

    @Override
    public void begin(final Path begun) {
        if (begun == path) {
            Arrays.fill(spent, 0);
            inside = true;
            start = clock.getAsLong();
            last = start;
        }
    }

    @Override
    public void mark(final Phase phase) {
        if (inside && Phases.pathOf(phase) == path) {
            final long now = clock.getAsLong();
            spent[phase.ordinal()] += now - last;
            last = now;
        }
    }

    @Override
    public void end(final Path ended, final boolean done) {
        if (ended != path) {
            return;
        }
        inside = false;
        if (done) {
            recorder.record(clock.getAsLong() - start, spent);
        }
    }
}
