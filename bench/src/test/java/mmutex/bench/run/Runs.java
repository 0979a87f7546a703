package mmutex.bench.run;

import mmutex.bench.run.workload.Workload;
import mmutex.bench.run.workload.Workloads;
import mmutex.cli.Environment;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;

/** Small runs that end after a number of operations, not after a time. */
final class Runs {
    static final long SEED = 8391;

    /** Far more than a run takes: time is not what ends it. */
    private static final double SECONDS = 600;

    private Runs() {}

    static Workload workload(final String name) {
        return Workloads.all().stream()
                .filter(workload -> workload.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    static RunOptions options(
            final Workload workload, final Delivery delivery, final SemanticProfile profile, final long operations) {
        return new RunOptions(
                workload, 2, 2, 4, 2, SECONDS, SEED, profile, delivery, Protocol.INTERVAL, false, operations);
    }

    static RunResult run(final RunOptions options) {
        try {
            return new Experiment(
                            options,
                            new StopSignal(),
                            LatencyLog.none(),
                            (fraction, elapsedNs, restores, operations) -> {})
                    .run("test, seed " + options.seed(), Environment.current());
        } catch (final InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
