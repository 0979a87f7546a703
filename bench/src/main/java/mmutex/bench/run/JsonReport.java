package mmutex.bench.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.bench.anatomy.AnatomyProbe;
import mmutex.bench.anatomy.Band;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.Phases;
import mmutex.bench.run.workload.Verdict;
import mmutex.cli.Choice;
import mmutex.cli.Environment;
import mmutex.cli.Json;
import mmutex.notify.Protocol;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;

/** A run's result for machines: one object in one line, times in ns. */
final class JsonReport {
    private JsonReport() {}

    /** The object as text. */
    static String of(final RunResult result, final Environment environment) {
        return Json.line(object(result, environment));
    }

    private static Map<String, Object> object(final RunResult result, final Environment environment) {
        final RunOptions options = result.options();
        final Verdict verdict = result.verdict();
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("workload", options.workload().name());
        json.put("profile", options.profile().name());
        json.put("encoding", result.encoding());
        json.put("delivery", Choice.word(options.delivery()));
        json.put("cpus", options.cpus());
        json.put("devices", options.devices());
        json.put("lanes", options.lanes());
        json.put("pages", options.pages());
        json.put("seconds", number(options.seconds()));
        json.put("seed", options.seed());
        json.put("expected", verdict.expected());
        json.put("found", verdict.found());
        json.put("lostUpdates", verdict.lost());
        json.put("invariantsChecked", result.invariants().invariants());
        json.put("invariantsViolated", result.invariants().violations().size());
        json.put("paths", paths(result));
        json.put(
                "intervals",
                result.intervals().stream().map(JsonReport::interval).toList());
        if (options.phases()) {
            json.put("phasesTimed", true);
        }
        if (options.protocol() != Protocol.INTERVAL) {
            json.put("protocol", Choice.word(options.protocol()));
        }
        if (result.devices().size() > 1) {
            json.put("fairness", fairness(result));
        }
        json.put("environment", environment(result, environment));
        return json;
    }

    /** The raw data of a comparison: how a figure varies within one run. */
    private static Map<String, Object> interval(final RunResult.Interval interval) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("seconds", interval.seconds());
        json.put("operations", interval.operations());
        json.put("restore", latency(interval.restore()));
        json.put("make", latency(interval.make()));
        return json;
    }

    private static Map<String, Object> latency(final RunResult.Latency latency) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("count", latency.count());
        json.put("mean", latency.mean());
        json.put("p50", latency.p50());
        json.put("p99", latency.p99());
        return json;
    }

    /** Of several devices only. */
    private static Map<String, Object> fairness(final RunResult result) {
        final List<RunResult.Actor> devices = result.devices();
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("jainOperations", Fairness.jain(devices, RunResult.Actor::operations));
        json.put("jainMakes", Fairness.jain(devices, RunResult.Actor::paths));
        json.put("devices", devices.stream().map(JsonReport::device).toList());
        return json;
    }

    private static Map<String, Object> device(final RunResult.Actor device) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", device.name());
        json.put("operations", device.operations());
        json.put("makes", device.paths());
        json.put("retries", device.retries());
        json.put("waited", device.waits().totalNs());
        json.put("longestWait", device.waits().longestNs());
        return json;
    }

    private static Map<String, Object> paths(final RunResult result) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("restore", path(result.restore()));
        json.put("make", path(result.make()));
        return json;
    }

    private static Map<String, Object> path(final PathLatency latency) {
        final Map<String, Object> json = distribution(latency.total());
        final Map<String, Object> phases = new LinkedHashMap<>();
        for (final Phase phase : Phases.of(latency.path())) {
            phases.put(Phases.key(phase), distribution(latency.phases().get(phase)));
        }
        json.put("phases", phases);
        if (latency.breakdown() != null) {
            json.put("anatomy", anatomy(latency.breakdown()));
        }
        return json;
    }

    private static Map<String, Object> anatomy(final Breakdown breakdown) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("timestampNs", breakdown.cost().markNs());
        json.put("wholeTimestampNs", breakdown.cost().wholeNs());
        json.put("oneIn", AnatomyProbe.ONE_IN);
        json.put("wholes", breakdown.wholes());
        json.put("dissected", breakdown.dissected());
        json.put(
                "bands",
                breakdown.bands().stream().map(band -> band(breakdown, band)).toList());
        json.put("most", band(breakdown, breakdown.most()));
        return json;
    }

    private static Map<String, Object> band(final Breakdown breakdown, final Band band) {
        final Map<String, Object> phases = new LinkedHashMap<>();
        for (int i = 0; i < band.phasesNs().length; i++) {
            phases.put(Phases.keyAt(breakdown.path(), i), known(band.phasesNs()[i]));
        }
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("from", band.from());
        json.put("to", band.to());
        json.put("wholeNs", known(band.wholeNs()));
        json.put("phasesNs", phases);
        json.put("sumNs", known(band.sumNs()));
        json.put("distance", known(band.distance()));
        json.put("rawNs", known(band.rawNs()));
        json.put("intervals", known(band.intervals()));
        json.put("overhead", known(band.overhead()));
        return json;
    }

    /** JSON knows no NaN. */
    private static Double known(final double value) {
        return Double.isFinite(value) ? value : null;
    }

    private static Map<String, Object> distribution(final Histogram histogram) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("count", histogram.getTotalCount());
        json.put("p50", histogram.getValueAtPercentile(50));
        json.put("p90", histogram.getValueAtPercentile(90));
        json.put("p99", histogram.getValueAtPercentile(99));
        json.put("p999", histogram.getValueAtPercentile(99.9));
        json.put("max", histogram.getMaxValue());
        return json;
    }

    /** The quantum belongs to the conditions of a measurement like the number of cores. */
    private static Map<String, Object> environment(final RunResult result, final Environment environment) {
        final Map<String, Object> json = environment.toJson();
        json.put("quantumNs", result.quantumNs());
        return json;
    }

    /** Whole seconds as a whole number, as the user typed it. */
    private static Number number(final double value) {
        if (value == Math.rint(value)) {
            return (long) value;
        }
        return value;
    }
}
