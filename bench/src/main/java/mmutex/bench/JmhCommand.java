package mmutex.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import mmutex.bench.compare.BenchFile;
import mmutex.bench.jmh.PhaseProfiler;
import mmutex.bench.nativefloor.NativeCommand;
import mmutex.bench.targets.TargetsCommand;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.ForkFlags;
import mmutex.cli.ReplacedFile;
import mmutex.cli.UsageProblem;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.ProfilersFailedException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/**
 * Runs the JMH suite: JMH's own command line, with what the forked VMs need already in place.
 *
 * <p>The needed flags are prepended, never appended: {@code -jvmArgsAppend} would replace those that a benchmark
 * states in its {@code @Fork} line.
 */
@Command(
        name = "bench",
        description = "Run the JMH suite.",
        customSynopsis = "mmutex bench [--help] [--smoke] [--save FILE] [--seed N] [JMH options] [REGEXP...]",
        footer = {
            "",
            "Everything else goes to JMH: -l lists the benchmarks, -h shows JMH's options, -rf json -rff FILE",
            "keeps the results without the environment, as JMH writes them.",
            "",
            "bench --native [--seconds S] [--repetitions N] [--json] runs no JMH: it compares our paths with C",
            "programs that are built with cc, and with what a user can do on a stock kernel.",
            "",
            "bench --targets [--seconds S] [--repetitions N] [--json] says how far the hot paths are from what they",
            "should cost, as ratios to baselines of the same run: about three minutes."
        })
public final class JmhCommand implements Callable<Integer> {
    /** Written by JMH's annotation processor; it fails without a word of sense where there is none. */
    private static final String BENCHMARK_LIST = "/META-INF/BenchmarkList";

    /** By which forks learn the seed. */
    private static final String SEED_PROPERTY = "mmutex.seed";

    @Option(names = "--help", usageHelp = true, description = "Show this help and exit.")
    private boolean help;

    @Option(
            names = "--save",
            paramLabel = "FILE",
            description = "Keep the results, raw data and environment, for ./mmutex compare.")
    private Path save;

    @Option(names = "--smoke", description = "Run a handful of benchmarks shortly, about a minute in all.")
    private boolean smoke;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "For benchmarks that draw lots (${DEFAULT-VALUE}).")
    private long seed;

    @Unmatched
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws IOException, RunnerException {
        if (TargetsCommand.isWanted(arguments)) {
            return TargetsCommand.run(arguments);
        }
        if (NativeCommand.isWanted(arguments)) {
            return NativeCommand.run(arguments);
        }
        final CommandLineOptions given = parse(arguments);
        if (given.shouldHelp()) {
            given.showHelp();
            return ExitCode.OK;
        }
        if (given.shouldListProfilers()) {
            given.listProfilers();
            return ExitCode.OK;
        }
        if (given.shouldListResultFormats()) {
            given.listResultFormats();
            return ExitCode.OK;
        }
        if (JmhCommand.class.getResource(BENCHMARK_LIST) == null) {
            throw new UsageProblem("this build contains no benchmarks");
        }
        if (save == null || given.shouldList() || given.shouldListWithParams()) {
            run(given);
            return ExitCode.OK;
        }
        try (ReplacedFile file = ReplacedFile.open("--save", save)) {
            file.write(BenchFile.of(run(given), Environment.current(), seed));
        }
        return ExitCode.OK;
    }

    private Collection<RunResult> run(final CommandLineOptions given) throws RunnerException {
        if (smoke) {
            if (!arguments.isEmpty()) {
                throw new UsageProblem(
                        "--smoke decides itself what to run, but was given " + String.join(" ", arguments));
            }
            return SmokeSuite.run(seed);
        }
        final Runner runner = new Runner(withForkFlags(given, seed));
        if (given.shouldList()) {
            runner.list();
            return List.of();
        }
        if (given.shouldListWithParams()) {
            runner.listWithParams(given);
            return List.of();
        }
        try {
            return runner.run();
        } catch (final NoBenchmarksException e) {
            throw new UsageProblem("no benchmark matches " + String.join(" ", given.getIncludes()));
        } catch (final ProfilersFailedException e) {
            throw new UsageProblem(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
        }
    }

    /** {@code given}, its forks started with what the libraries need and with the seed. */
    static Options withForkFlags(final Options given, final long seed) {
        final Optional<? extends Iterable<String>> own = given.getJvmArgsPrepend();
        final List<String> flags = new ArrayList<>(ForkFlags.forThisJdk());
        flags.add("-D" + SEED_PROPERTY + "=" + seed);
        if (own.hasValue()) {
            own.get().forEach(flags::add);
        }
        return new OptionsBuilder()
                .parent(given)
                .jvmArgsPrepend(flags.toArray(String[]::new))
                .addProfiler(PhaseProfiler.class)
                .build();
    }

    static CommandLineOptions parse(final List<String> arguments) {
        try {
            return new CommandLineOptions(arguments.toArray(String[]::new));
        } catch (final CommandLineOptionException e) {
            throw new UsageProblem(e.getMessage());
        }
    }
}
