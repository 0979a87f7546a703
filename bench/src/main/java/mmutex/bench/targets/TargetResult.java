package mmutex.bench.targets;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import mmutex.bench.targets.Target.Figures;
import mmutex.cli.Json;
import org.apache.commons.math3.stat.descriptive.rank.Median;

/**
 * What has become of a target: medians over the repetitions, of the ratios as well, since the two figures of one repetition
 * were taken one soon after the other.
 *
 * @param target the row
 * @param ours ns, or bytes; NaN if not measured
 * @param baseline NaN if not measured, or if there is none
 * @param ratio ours / baseline, or baseline / ours where more is better
 * @param low smallest ratio of a repetition
 * @param high largest
 * @param reason why there is no figure; null if there is
 */
record TargetResult(Target target, double ours, double baseline, double ratio, double low, double high, String reason) {
    static TargetResult of(final Target target, final List<Repetition> repetitions, final String whyNoPrograms) {
        final List<Figures> figures = repetitions.stream().map(target.measure()).toList();
        final double[] ratios = figures.stream()
                .mapToDouble(target.kind()::ratio)
                .filter(ratio -> !Double.isNaN(ratio))
                .toArray();
        final double ours = median(figures, Figures::ours);
        final double baseline = median(figures, Figures::baseline);
        final boolean missing = Double.isNaN(ours) || target.kind() != Target.Kind.BYTES && ratios.length == 0;
        return new TargetResult(
                target,
                ours,
                baseline,
                ratios.length == 0 ? Double.NaN : new Median().evaluate(ratios),
                Arrays.stream(ratios).min().orElse(Double.NaN),
                Arrays.stream(ratios).max().orElse(Double.NaN),
                missing ? reason(ours, whyNoPrograms) : null);
    }

    private static String reason(final double ours, final String whyNoPrograms) {
        if (whyNoPrograms != null) {
            return whyNoPrograms;
        }
        return Double.isNaN(ours) ? "ours needs two cores here" : "the baseline could not be measured here";
    }

    private static double median(final List<Figures> figures, final ToDoubleFunction<Figures> which) {
        final double[] values = figures.stream()
                .mapToDouble(which)
                .filter(value -> !Double.isNaN(value))
                .toArray();
        return values.length == 0 ? Double.NaN : new Median().evaluate(values);
    }

    /** Null if the row has no target, or no figure. */
    Boolean met() {
        if (reason != null) {
            return null;
        }
        final Boolean within = target.kind().isMet(target.target(), this);
        return within == null ? null : within && !(ours > target.limitNs());
    }

    // ---- printing -------------------------------------------------------------------------------------------

    static String table(final List<TargetResult> results) {
        final StringBuilder text = new StringBuilder();
        text.append(String.format(
                "%-22s%12s%12s%9s%17s  %-18s%s",
                "", "ours ns", "baseline", "ratio", "of repetitions", "target", "met"));
        for (final TargetResult result : results) {
            text.append(System.lineSeparator())
                    .append(String.format(
                            "%-22s%12s%12s%9s%17s  %-18s%s",
                            result.target.name(),
                            figure(result.ours),
                            figure(result.baseline),
                            figure(result.ratio),
                            Double.isNaN(result.low) ? "-" : figure(result.low) + " .. " + figure(result.high),
                            result.target.inWords(),
                            result.verdict()));
        }
        return text.toString();
    }

    private String verdict() {
        if (reason != null) {
            return reason;
        }
        final Boolean met = met();
        return met == null ? "" : met ? "yes" : "no";
    }

    private static String figure(final double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value);
    }

    Map<String, Object> toJson() {
        final Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", target.name());
        row.put("oursNs", Json.rounded(ours));
        row.put("baselineNs", Json.rounded(baseline));
        row.put("ratio", Json.rounded(ratio));
        row.put("target", Json.rounded(target.target()));
        row.put("met", met());
        row.put("ratioLow", Json.rounded(low));
        row.put("ratioHigh", Json.rounded(high));
        row.put("targetInWords", target.inWords());
        if (reason != null) {
            row.put("reason", reason);
        }
        return row;
    }
}
