package mmutex.bench.run;

import java.util.List;
import java.util.Map;
import mmutex.bench.run.workload.Verdict;
import org.HdrHistogram.Histogram;

/**
 * What a run was and what came out of it.
 *
 * @param options what was asked for
 * @param encoding of page-table entries
 * @param quantumNs after how long actors yield; 0 if each has a core
 * @param elapsedNs from the start to the stop
 * @param hits durations of {@link CpuActor#BATCH} operations of a CPU without a fault
 * @param actors CPUs, then devices
 * @param intervals what happened in each second
 * @param disturbances what others did, and how often
 * @param shootDowns of the process's CPUs
 */
record RunResult(
        RunOptions options,
        String encoding,
        long quantumNs,
        long elapsedNs,
        PathLatency restore,
        PathLatency make,
        Histogram hits,
        List<Actor> actors,
        List<Interval> intervals,
        List<Map<String, Long>> disturbances,
        long shootDowns,
        Verdict verdict,
        Referee.Outcome invariants) {

    /**
     * A second of the run, or what was left of one at its end.
     *
     * @param operations of all actors
     */
    record Interval(double seconds, long operations, Latency restore, Latency make) {}

    /** What a path took within an interval, in ns; zeros if it was not run. */
    record Latency(long count, double mean, long p50, long p99) {
        static Latency of(final Histogram histogram) {
            return new Latency(
                    histogram.getTotalCount(),
                    histogram.getMean(),
                    histogram.getValueAtPercentile(50),
                    histogram.getValueAtPercentile(99));
        }
    }

    /**
     * One actor's share.
     *
     * @param operations completed
     * @param faults a CPU's page faults, or a device's resolved ones
     * @param paths restores of a CPU, makes of a device
     * @param retries a driver's rounds that collided
     * @param waits how long a device waited for pages
     */
    record Actor(
            String name,
            boolean isCpu,
            long operations,
            long faults,
            long paths,
            long retries,
            Starvation.Figures waits) {

        /** A CPU. */
        static Actor cpu(final String name, final long operations, final long faults, final long restores) {
            return new Actor(name, true, operations, faults, restores, 0, Starvation.Figures.NONE);
        }
    }

    /** The devices. */
    List<Actor> devices() {
        return actors.stream().filter(actor -> !actor.isCpu()).toList();
    }

    /** How many worked: with more of them than cores, times depend on the scheduler. */
    int actorCount() {
        return actors.size() + disturbances.size();
    }

    /** Operations of all actors. */
    long operations() {
        return actors.stream().mapToLong(Actor::operations).sum();
    }

    /** Rounds of drivers that collided. */
    long retries() {
        return actors.stream().mapToLong(Actor::retries).sum();
    }

    /** Whether the oracle and all invariants hold. */
    boolean isGood() {
        return verdict.holds() && invariants.violations().isEmpty();
    }
}
