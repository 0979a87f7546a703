package mmutex.bench.compare;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.cli.Json;

/** A comparison for machines: one object in one line. */
final class CompareJson {
    private CompareJson() {}

    static String of(
            final ResultFile a,
            final ResultFile b,
            final Comparison comparison,
            final CompareCommand.Settings settings) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("a", a.environment());
        json.put("b", b.environment());
        json.put("fileA", a.path().toString());
        json.put("fileB", b.path().toString());
        json.put("differences", settings.obstacles());
        json.put("threshold", settings.threshold());
        json.put("confidence", settings.confidence());
        json.put("seed", settings.seed());
        json.put("resamples", Bootstrap.RESAMPLES);
        json.put("rows", comparison.rows().stream().map(CompareJson::row).toList());
        json.put("onlyA", keys(comparison.onlyA()));
        json.put("onlyB", keys(comparison.onlyB()));
        json.put("regressions", comparison.regressions());
        return Json.line(json);
    }

    private static Map<String, Object> row(final Comparison.Row row) {
        final Map<String, Object> json = key(row.key());
        json.put("unit", row.a().unit());
        json.put("a", row.a().score());
        json.put("b", row.b().score());
        json.put("ratio", row.ratio());
        json.put("low", row.interval().isKnown() ? row.interval().low() : null);
        json.put("high", row.interval().isKnown() ? row.interval().high() : null);
        json.put("verdict", row.verdict().word());
        json.put("better", row.a().direction() == Direction.LOWER_IS_BETTER ? "lower" : "higher");
        json.put("forksA", row.a().forks().size());
        json.put("forksB", row.b().forks().size());
        return json;
    }

    private static List<Map<String, Object>> keys(final List<BenchmarkKey> keys) {
        return keys.stream().map(CompareJson::key).toList();
    }

    private static Map<String, Object> key(final BenchmarkKey key) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("benchmark", key.name());
        json.put("params", key.params());
        json.put("mode", key.mode());
        json.put("threads", key.threads());
        return json;
    }
}
