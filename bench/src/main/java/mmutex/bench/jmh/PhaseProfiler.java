package mmutex.bench.jmh;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import mmutex.bench.anatomy.Band;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.Phases;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Carries a {@link Breakdown} of an iteration into JMH's results. Counters of JMH's own ({@code @AuxCounters}) can't: they
 * are divided by time, or summed up over iterations. Silent for benchmarks that publish nothing.
 *
 * <p>The means leave out the slowest tenth of the pages: interrupts are there, and cold lines.
 */
public final class PhaseProfiler implements InternalProfiler {
    private static final String UNIT = "ns/op";

    private static volatile Breakdown published;

    /** For JMH. */
    public PhaseProfiler() {}

    /** At the end of an iteration, by the benchmark's thread. */
    static void publish(final Breakdown breakdown) {
        published = breakdown;
    }

    @Override
    public String getDescription() {
        return "phases of a path, for benchmarks that time them";
    }

    @Override
    public void beforeIteration(final BenchmarkParams benchmark, final IterationParams iteration) {
        published = null;
    }

    @Override
    public Collection<? extends Result<ScalarResult>> afterIteration(
            final BenchmarkParams benchmark, final IterationParams iteration, final IterationResult result) {
        final Breakdown breakdown = published;
        return breakdown == null || !breakdown.isKnown() ? List.of() : results(breakdown);
    }

    private static List<ScalarResult> results(final Breakdown breakdown) {
        final Band band = breakdown.most();
        final List<ScalarResult> results = new ArrayList<>();
        for (int i = 0; i < band.phasesNs().length; i++) {
            // Numbered: JMH sorts by name.
            results.add(result("phase" + (i + 1) + "." + Phases.keyAt(breakdown.path(), i), band.phasesNs()[i], UNIT));
        }
        results.add(result("phases.sum", band.sumNs(), UNIT));
        results.add(result("phases.whole", band.wholeNs(), UNIT));
        results.add(result("phases.sumByWhole", band.sumNs() / band.wholeNs(), "ratio"));
        results.add(result("phases.timestamp", breakdown.cost().markNs(), "ns"));
        return results;
    }

    private static ScalarResult result(final String name, final double value, final String unit) {
        return new ScalarResult(name, value, unit, AggregationPolicy.AVG);
    }
}
