package mmutex.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.regex.Pattern;
import mmutex.cli.ProgressBar;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A handful of benchmarks, with short settings, that shows within a minute or so whether the suite still runs and about
 * how fast the main path is. Its figures are reported and never judged; a benchmark that throws ends it.
 */
final class SmokeSuite {
    /** JMH's classes, and the values of those parameters of which more than one is worth the time. */
    private static final Map<String, Map<String, List<String>>> BENCHMARKS = new TreeMap<>(Map.of(
            "CpuAccessBenchmark", Map.of(),
            "MakeBenchmark.make", Map.of("subscriber", List.of("INLINE")),
            "PhaseBenchmark.restore", Map.of("subscriber", List.of("INLINE")),
            "RestoreBenchmark.restore", Map.of("subscriber", List.of("NONE", "INLINE")),
            "RoundTripBenchmark.makeAndRestore", Map.of("subscriber", List.of("INLINE"))));

    /** Three, so that compare has an idea of how forks differ. */
    private static final int FORKS = 3;

    private static final int WARMUPS = 2;
    private static final int ITERATIONS = 5;
    private static final TimeValue ITERATION = TimeValue.milliseconds(200);

    private SmokeSuite() {}

    /** Runs all of it. */
    static Collection<RunResult> run(final long seed) throws RunnerException {
        final List<RunResult> results = new ArrayList<>();
        final List<Options> plan = plan();
        try (ProgressBar bar = ProgressBar.onStandardError()) {
            for (int i = 0; i < plan.size(); i++) {
                bar.update((double) i / plan.size(), "benchmark " + (i + 1) + " of " + plan.size());
                results.addAll(new Runner(JmhCommand.withForkFlags(plan.get(i), seed)).run());
            }
        }
        ResultFormatFactory.getInstance(ResultFormatType.TEXT, System.out).writeOut(results);
        return results;
    }

    /**
     * A run for each benchmark: parameters are pinned for one at a time, since another benchmark's parameter of the same
     * name may know other values.
     */
    static List<Options> plan() {
        final List<Options> plan = new ArrayList<>();
        BENCHMARKS.forEach((name, chosen) -> {
            final SortedSet<BenchmarkListEntry> found = find(name);
            if (found.isEmpty()) {
                throw new IllegalStateException("the smoke suite names a benchmark that is not there: " + name);
            }
            found.forEach(benchmark -> plan.add(options(benchmark, chosen)));
        });
        return plan;
    }

    private static SortedSet<BenchmarkListEntry> find(final String name) {
        final OutputFormat silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
        return BenchmarkList.defaultList().find(silent, List.of("\\.jmh\\." + Pattern.quote(name)), List.of());
    }

    private static Options options(final BenchmarkListEntry benchmark, final Map<String, List<String>> chosen) {
        final ChainedOptionsBuilder builder = new OptionsBuilder()
                .include("^" + Pattern.quote(benchmark.getUsername()) + "$")
                .forks(FORKS)
                .warmupIterations(WARMUPS)
                .warmupTime(ITERATION)
                .measurementIterations(ITERATIONS)
                .measurementTime(ITERATION)
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true);
        if (benchmark.getParams().hasValue()) {
            benchmark
                    .getParams()
                    .get()
                    .forEach((param, values) -> builder.param(
                            param,
                            chosen.getOrDefault(param, List.of(values[0])).toArray(String[]::new)));
        }
        return builder.build();
    }
}
