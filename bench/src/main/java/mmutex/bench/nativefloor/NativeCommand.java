package mmutex.bench.nativefloor;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mmutex.bench.jmh.Subscriber;
import mmutex.cli.Bounds;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.Json;
import mmutex.cli.UsageProblem;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * {@code ./mmutex bench --native}: runs the C programs and our paths in turns, several times, and prints the table.
 *
 * <p>Where there is no compiler one line says so, and our figures are printed alone.
 */
public final class NativeCommand {
    private static final int PAGES = 256;
    private static final long FORK_SECONDS_MAX = 120;

    @Option(names = "--native")
    private boolean asked;

    @Option(names = "--json")
    private boolean json;

    @Option(names = "--seconds", defaultValue = "3")
    private double seconds;

    /** Forks of our VM, and runs of each program, that one figure comes from. */
    @Option(names = "--repetitions", defaultValue = "3")
    private int repetitions;

    /** Results so far, by program. */
    private final Map<String, List<NativeResult>> results = new LinkedHashMap<>();

    private NativeCommand() {}

    /** Whether the arguments of {@code bench} ask for this instead of JMH. */
    public static boolean isWanted(final List<String> arguments) {
        return arguments.contains("--native");
    }

    /** Runs it: {@code --native [--seconds S] [--repetitions N] [--json]}; exit code. */
    public static int run(final List<String> arguments) throws IOException {
        return run(arguments, System.getenv(), System.out, System.err);
    }

    static int run(
            final List<String> arguments,
            final Map<String, String> environment,
            final PrintStream out,
            final PrintStream err)
            throws IOException {
        final NativeCommand command = new NativeCommand();
        try {
            new CommandLine(command).parseArgs(arguments.toArray(String[]::new));
        } catch (final CommandLine.ParameterException e) {
            throw new UsageProblem("--native: " + e.getMessage());
        }
        Bounds.check("--seconds", command.seconds, 0.1, 600);
        Bounds.check("--repetitions", command.repetitions, 1, 20);
        return command.measure(environment, out, err);
    }

    private int measure(final Map<String, String> environment, final PrintStream out, final PrintStream err)
            throws IOException {
        final NativePrograms.Built built = NativePrograms.build(environment);
        if (!built.isUsable()) {
            err.println("mmutex bench: " + built.reason() + "; printing our figures alone");
        }
        final String compiler = built.isUsable() ? built.programs().compiler() : null;
        try (NativePrograms programs = built.programs()) {
            runAll(programs);
        }
        final List<Comparison.Line> lines = Comparison.lines(results, built.reason());
        out.println(json ? toJson(lines, compiler) : toText(lines, built.reason()));
        return ExitCode.OK;
    }

    // ---- running --------------------------------------------------------------------------------------------

    private void runAll(final NativePrograms programs) throws IOException {
        final Turns turns = new Turns();
        turns.add("ours, inline", () -> ours(Subscriber.INLINE));
        if (Runtime.getRuntime().availableProcessors() > 1) {
            turns.add("ours, ring", () -> ours(Subscriber.RING));
        }
        if (programs != null) {
            for (final String program : NativePrograms.NAMES) {
                turns.add(program, () -> programs.run(program, "--seconds", share()));
            }
        }
        for (final Map<String, NativeResult> turn : turns.take(repetitions)) {
            for (final NativeResult result : turn.values()) {
                results.computeIfAbsent(result.program(), name -> new ArrayList<>())
                        .add(result);
            }
        }
    }

    private String share() {
        return String.format(Locale.ROOT, "%.3f", seconds / repetitions);
    }

    /** Our paths, in a VM that has nothing else to do. */
    private NativeResult ours(final Subscriber subscriber) throws IOException {
        return OurVm.run(
                OurPaths.class,
                FORK_SECONDS_MAX + (long) (10 * seconds),
                subscriber.name(),
                share(),
                Integer.toString(PAGES));
    }

    // ---- printing -------------------------------------------------------------------------------------------

    private static String toText(final List<Comparison.Line> lines, final String whyNone) {
        final StringBuilder text = new StringBuilder();
        text.append(String.format(
                "%-24s%14s%14s%14s%14s%10s", "path", "median ns", "p99 ns", "ours median", "ours p99", "ratio"));
        for (final Comparison.Line line : lines) {
            text.append(System.lineSeparator());
            text.append(String.format(
                    "%-24s%14s%14s%14s%14s%10s",
                    line.path(),
                    figure(line.medianNs()),
                    figure(line.p99Ns()),
                    figure(line.oursMedianNs()),
                    figure(line.oursP99Ns()),
                    Double.isNaN(line.ratioToOurs()) ? "-" : String.format(Locale.ROOT, "%.2f", line.ratioToOurs())));
            if (line.unavailable() != null && whyNone == null) {
                text.append("  ").append(line.unavailable());
            }
        }
        return text.toString();
    }

    private static String figure(final double ns) {
        return Double.isNaN(ns) ? "-" : String.format(Locale.ROOT, "%.1f", ns);
    }

    private String toJson(final List<Comparison.Line> lines, final String compiler) {
        final Map<String, Object> environment = Environment.current().toJson();
        environment.put("compiler", compiler);
        environment.put("pages", PAGES);
        environment.put("repetitions", repetitions);
        final List<Map<String, Object>> rows = new ArrayList<>();
        for (final Comparison.Line line : lines) {
            final Map<String, Object> row = new LinkedHashMap<>();
            row.put("path", line.path());
            row.put("medianNs", Json.rounded(line.medianNs()));
            row.put("p99Ns", Json.rounded(line.p99Ns()));
            row.put("oursMedianNs", Json.rounded(line.oursMedianNs()));
            row.put("oursP99Ns", Json.rounded(line.oursP99Ns()));
            row.put("ratioToOurs", Json.rounded(line.ratioToOurs()));
            row.put("unavailable", line.unavailable());
            rows.add(row);
        }
        final Map<String, Object> object = new LinkedHashMap<>();
        object.put("environment", environment);
        object.put("rows", rows);
        return Json.line(object);
    }
}
