package mmutex.bench.torture;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import mmutex.bench.run.Figures;
import mmutex.cli.Choice;
import mmutex.cli.Environment;
import mmutex.cli.Json;

/** Prints rounds, for people or for machines. Used by one thread. */
final class TortureReport {
    private static final String ROW = " %-8s %-8s %8s %12s %12s %8s %10s  %s%n";

    private final PrintWriter out;
    private final boolean json;
    private final Environment environment;
    private final Map<String, Long> performed = new TreeMap<>();
    private final Map<String, Long> happened = new TreeMap<>();

    TortureReport(final PrintWriter out, final boolean json, final Environment environment) {
        this.out = out;
        this.json = json;
        this.environment = environment;
    }

    void header(final List<TortureOptions> rounds) {
        if (json) {
            return;
        }
        final TortureOptions first = rounds.get(0);
        out.printf(
                Locale.ROOT,
                "mmutex %s · torture · %s, %s · %s of %s · seed %d%s%n",
                environment.release(),
                Figures.count(first.hands(), "cpu"),
                Figures.count(first.devices(), "device"),
                Figures.count(rounds.size(), "round"),
                Figures.seconds(Math.round(first.seconds() * 100) / 100.0),
                first.seed(),
                first.watched() ? " · watched" : "");
        out.printf(" JDK %s · %d cores · commit %s%n%n", environment.jdk(), environment.cores(), environment.commit());
        out.printf(ROW, "profile", "delivery", "s", "operations", "device adds", "pauses", "invariants", "");
        out.flush();
    }

    void round(final TortureResult result) {
        result.performed().forEach((name, count) -> performed.merge(name, count, Long::sum));
        result.happened().forEach((what, count) -> happened.merge(what, count, Long::sum));
        if (json) {
            out.println(json(result));
        } else {
            out.printf(
                    Locale.ROOT,
                    ROW,
                    result.options().profile(),
                    Choice.word(result.options().delivery()),
                    String.format(Locale.ROOT, "%.1f", result.elapsedNs() / 1e9),
                    Figures.grouped(result.operations()),
                    Figures.grouped(result.additions()),
                    Figures.grouped(result.pauses()),
                    Figures.grouped(result.invariants().invariants()),
                    result.isGood() ? "ok" : "FAILED");
            result.findings().forEach(finding -> out.println("   " + finding));
            result.invariants().violations().forEach(violation -> out.println("   " + violation));
        }
        out.flush();
    }

    void end() {
        if (!json) {
            out.println();
            performed.forEach((name, count) -> out.printf(" %-20s %12s%n", name, Figures.grouped(count)));
            out.println();
            happened.forEach((what, count) -> out.printf(" %-40s %12s%n", what, Figures.grouped(count)));
            out.flush();
        }
    }

    private String json(final TortureResult result) {
        final TortureOptions options = result.options();
        final Map<String, Object> object = new LinkedHashMap<>();
        object.put("profile", options.profile().name());
        object.put("delivery", Choice.word(options.delivery()));
        object.put("cpus", options.hands());
        object.put("devices", options.devices());
        object.put("seconds", options.seconds());
        object.put("seed", options.seed());
        object.put("watched", options.watched());
        object.put("operations", result.performed());
        object.put("happened", result.happened());
        object.put("deviceAdditions", result.additions());
        object.put("pauses", result.pauses());
        object.put("invariantsChecked", result.invariants().invariants());
        object.put("checksDuring", result.invariants().timesDuring());
        object.put("findings", result.findings());
        object.put("violations", result.invariants().violations());
        object.put("environment", environment.toJson());
        return Json.line(object);
    }
}
