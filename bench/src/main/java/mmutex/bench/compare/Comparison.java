package mmutex.bench.compare;

import java.util.ArrayList;
import java.util.List;
import mmutex.cli.UsageProblem;

/**
 * Two files of results, side by side.
 *
 * @param rows benchmarks in both
 * @param onlyA benchmarks in the first alone
 * @param onlyB benchmarks in the second alone
 */
record Comparison(List<Row> rows, List<BenchmarkKey> onlyA, List<BenchmarkKey> onlyB) {
    /**
     * One benchmark.
     *
     * @param ratio of B's score to A's
     * @param interval of the ratio
     */
    record Row(BenchmarkKey key, Sample a, Sample b, double ratio, Interval interval, Verdict verdict) {}

    /**
     * Compares; {@code threshold} is a fraction.
     *
     * @throws UsageProblem if the files have no benchmark in common, or one has it in another unit
     */
    static Comparison of(final ResultFile a, final ResultFile b, final Bootstrap bootstrap, final double threshold) {
        final List<Row> rows = new ArrayList<>();
        final List<BenchmarkKey> onlyA = new ArrayList<>();
        for (final BenchmarkKey key : a.samples().keySet()) {
            if (b.samples().containsKey(key)) {
                rows.add(row(key, a, b, bootstrap, threshold));
            } else {
                onlyA.add(key);
            }
        }
        if (rows.isEmpty()) {
            throw new UsageProblem(a.path() + " and " + b.path()
                    + " have no benchmark in common: name, parameters, mode" + " and threads must be the same");
        }
        final List<BenchmarkKey> onlyB = b.samples().keySet().stream()
                .filter(key -> !a.samples().containsKey(key))
                .toList();
        return new Comparison(List.copyOf(rows), List.copyOf(onlyA), onlyB);
    }

    private static Row row(
            final BenchmarkKey key,
            final ResultFile fileA,
            final ResultFile fileB,
            final Bootstrap bootstrap,
            final double threshold) {
        final Sample a = fileA.samples().get(key);
        final Sample b = fileB.samples().get(key);
        if (!a.unit().equals(b.unit())) {
            throw new UsageProblem("benchmark " + key.shortName() + " is in " + a.unit() + " in " + fileA.path()
                    + ", in " + b.unit() + " in " + fileB.path());
        }
        final Interval interval = bootstrap.ratio(a, b);
        return new Row(key, a, b, b.score() / a.score(), interval, Verdict.of(interval, a.direction(), threshold));
    }

    long count(final Verdict verdict) {
        return rows.stream().filter(row -> row.verdict() == verdict).count();
    }

    /** Benchmarks that have become slower. */
    long regressions() {
        return count(Verdict.SLOWER);
    }

    /** Whether some interval rests on one fork of a file, and knows nothing of how forks differ. */
    boolean hasSingleForks() {
        return rows.stream()
                .anyMatch(row -> row.a().forks().size() == 1 || row.b().forks().size() == 1);
    }
}
