package mmutex.bench.nativefloor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.commons.math3.stat.descriptive.rank.Median;

/**
 * The table: which row of which program stands against which of ours.
 *
 * @param path what is compared; unique
 * @param program a C program
 * @param row its row
 * @param times how many of it make the path
 * @param ours our row; null if there is nothing of ours to compare it with
 */
record Comparison(String path, String program, String row, double times, String ours) {
    /** In the table's order. */
    static final List<Comparison> ALL = List.of(
            protocol("restore", "restore"),
            protocol("make", "make"),
            protocol("pair", "pair"),
            straight("restore"),
            straight("make"),
            straight("pair"),
            yardstick("restore", Yardstick.RESTORE),
            yardstick("make", Yardstick.MAKE),
            yardstick("pair", Yardstick.PAIR),
            protocol("restore-512", "restore-512"),
            protocol("make-512", "make-512"),
            protocol("restore-bare", "restore"),
            protocol("mark-bare", "make"),
            protocol("pair-bare", "pair"),
            protocol("access-hit", "access-hit"),
            protocol("fenced-store", "access-hit"),
            protocol("fenced-store-xchg", "access-hit"),
            protocol("locked-add", null),
            new Comparison("round-trip", "roundtrip", "round-trip", 1, "ring-restore"),
            new Comparison("userfault", "userfault", "userfault", 1, "restore-each"),
            new Comparison("sigsegv", "sigsegv", "sigsegv", 1, "restore-each"),
            new Comparison("sigsegv-thread", "sigsegv", "sigsegv-thread", 1, "restore-each"),
            new Comparison("userfault-to-ring", "userfault", "userfault", 1, "ring-restore"),
            new Comparison("sigsegv-thread-to-ring", "sigsegv", "sigsegv-thread", 1, "ring-restore"));

    /**
     * A line of the table; NaN where there is no figure.
     *
     * @param path as in {@link Comparison}
     * @param medianNs the C program's median of medians over the repetitions
     * @param p99Ns its median of 99th percentiles
     * @param oursMedianNs ours
     * @param oursP99Ns ours
     * @param unavailable why the C program's figures are missing; null if they aren't
     */
    record Line(String path, double medianNs, double p99Ns, double oursMedianNs, double oursP99Ns, String unavailable) {
        /** How many times ours it takes; NaN if one of them is missing. */
        double ratioToOurs() {
            return medianNs / oursMedianNs;
        }
    }

    private static Comparison protocol(final String row, final String ours) {
        return new Comparison(row, "protocol", row, 1, ours);
    }

    private static Comparison straight(final String row) {
        return new Comparison(row + "-straight", "straight", row, 1, row);
    }

    private static Comparison yardstick(final String ours, final double lockedAdds) {
        return new Comparison(ours + "-yardstick", "protocol", "locked-add", lockedAdds, ours);
    }

    /**
     * The lines, over all repetitions.
     *
     * @param results what each program, and ours, has printed: one result a run
     * @param whyNone why there are no C programs; null if there are
     */
    static List<Line> lines(final Map<String, List<NativeResult>> results, final String whyNone) {
        final List<Line> lines = new ArrayList<>();
        for (final Comparison comparison : ALL) {
            final List<NativeRow> theirs = rows(results.get(comparison.program), comparison.row);
            final List<NativeRow> ours =
                    comparison.ours == null ? List.of() : rows(results.get(OurPaths.NAME), comparison.ours);
            lines.add(new Line(
                    comparison.path,
                    comparison.times
                            * median(theirs.stream()
                                    .mapToDouble(NativeRow::median)
                                    .toArray()),
                    comparison.times
                            * median(theirs.stream().mapToDouble(NativeRow::p99).toArray()),
                    median(ours.stream().mapToDouble(NativeRow::median).toArray()),
                    median(ours.stream().mapToDouble(NativeRow::p99).toArray()),
                    whyNone != null
                            ? whyNone
                            : theirs.isEmpty() ? reason(results.get(comparison.program), comparison) : null));
        }
        return lines;
    }

    private static List<NativeRow> rows(final List<NativeResult> results, final String name) {
        return results == null
                ? List.of()
                : results.stream()
                        .map(result -> result.row(name))
                        .filter(NativeRow::isAvailable)
                        .toList();
    }

    private static String reason(final List<NativeResult> results, final Comparison comparison) {
        return results == null || results.isEmpty()
                ? "not run"
                : results.get(results.size() - 1).row(comparison.row).unavailable();
    }

    private static double median(final double[] values) {
        return values.length == 0 ? Double.NaN : new Median().evaluate(values);
    }
}
