package mmutex.bench.targets;

import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mmutex.bench.jmh.Subscriber;
import mmutex.bench.nativefloor.NativePrograms;
import mmutex.bench.nativefloor.OurPaths;
import mmutex.bench.nativefloor.OurVm;
import mmutex.bench.nativefloor.Turns;
import mmutex.cli.Bounds;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.Json;
import mmutex.cli.UsageProblem;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * {@code ./mmutex bench --targets}: measures ours and the baselines in turns, each in a process of its own, several times, and
 * says of each target whether it is met. Reports only: the exit code does not depend on a time.
 */
public final class TargetsCommand {
    private static final long SECONDS_MAX = 120;
    private static final int INLINE_PAGES = 256;

    @Option(names = "--targets")
    private boolean asked;

    @Option(names = "--json")
    private boolean json;

    /** Of each step in each repetition. */
    @Option(names = "--seconds", defaultValue = "1.5")
    private double seconds;

    @Option(names = "--repetitions", defaultValue = "3")
    private int repetitions;

    private TargetsCommand() {}

    /** Whether the arguments of {@code bench} ask for this instead of JMH. */
    public static boolean isWanted(final List<String> arguments) {
        return arguments.contains("--targets");
    }

    /** Runs it: {@code --targets [--seconds S] [--repetitions N] [--json]}; exit code. */
    public static int run(final List<String> arguments) throws IOException {
        final TargetsCommand command = new TargetsCommand();
        try {
            new CommandLine(command).parseArgs(arguments.toArray(String[]::new));
        } catch (final CommandLine.ParameterException e) {
            throw new UsageProblem("--targets: " + e.getMessage());
        }
        Bounds.check("--seconds", command.seconds, 0.05, 60);
        Bounds.check("--repetitions", command.repetitions, 1, 20);
        return command.measure(System.out, System.err);
    }

    private int measure(final PrintStream out, final PrintStream err) throws IOException {
        final NativePrograms.Built built = NativePrograms.build();
        if (!built.isUsable()) {
            err.println("mmutex bench: " + built.reason() + "; rows against C programs have no figures");
        }
        final String compiler = built.isUsable() ? built.programs().compiler() : null;
        final List<Repetition> measured;
        try (NativePrograms programs = built.programs()) {
            measured = runAll(programs);
        }
        final List<TargetResult> results = Target.ALL.stream()
                .map(target -> TargetResult.of(target, measured, built.reason()))
                .toList();
        out.println(json ? toJson(results, compiler) : TargetResult.table(results));
        return ExitCode.OK;
    }

    // ---- running --------------------------------------------------------------------------------------------

    private List<Repetition> runAll(final NativePrograms programs) throws IOException {
        final int cores = Runtime.getRuntime().availableProcessors();
        final String share = String.format(Locale.ROOT, "%.3f", seconds);
        final Turns turns = new Turns();
        turns.add("ours", () -> OurVm.run(OurTargets.class, SECONDS_MAX, share));
        if (programs != null) {
            for (final String program : NativePrograms.NAMES) {
                turns.add(program, () -> programs.run(program, "--seconds", share));
            }
        }
        if (cores > 1) {
            turns.add(
                    "ring",
                    () -> OurVm.run(
                            OurPaths.class,
                            SECONDS_MAX,
                            Subscriber.RING.name(),
                            share,
                            Integer.toString(INLINE_PAGES)));
        }
        for (final String who : List.of("MMUTEX", "CHM", "STAMPED")) {
            addRival(turns, who, 1, Repetition.FEW_PAGES, share);
        }
        for (final String who : List.of("MMUTEX", "CHM")) {
            if (cores > 1) {
                addRival(turns, who, 2, Repetition.FEW_PAGES, share);
            }
            addRival(turns, who, 1, Repetition.MANY_PAGES, share);
        }
        return turns.take(repetitions).stream().map(Repetition::new).toList();
    }

    private static void addRival(
            final Turns turns, final String who, final int threads, final int pages, final String share) {
        turns.add(
                Repetition.rivals(who, threads, pages),
                () -> OurVm.run(
                        Rivals.class, SECONDS_MAX, who, Integer.toString(pages), Integer.toString(threads), share));
    }

    // ---- printing -------------------------------------------------------------------------------------------

    private String toJson(final List<TargetResult> results, final String compiler) {
        final Map<String, Object> environment = Environment.current().toJson();
        environment.put("compiler", compiler);
        environment.put("secondsPerStep", seconds);
        environment.put("repetitions", repetitions);
        final Map<String, Object> object = new LinkedHashMap<>();
        object.put("environment", environment);
        object.put("rows", results.stream().map(TargetResult::toJson).toList());
        return Json.line(object);
    }
}
