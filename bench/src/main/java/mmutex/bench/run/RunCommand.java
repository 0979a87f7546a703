package mmutex.bench.run;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import mmutex.bench.run.workload.Workload;
import mmutex.bench.run.workload.Workloads;
import mmutex.cli.Bounds;
import mmutex.cli.Choice;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.ProgressBar;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code mmutex run}: CPUs and devices contend for pages; latencies, throughput, lost-update oracle, invariants. */
@Command(
        name = "run",
        description = "Let CPUs and devices contend for pages; report latencies, throughput and lost updates.",
        sortOptions = false,
        footerHeading = "%nWorkloads:%n",
        footer = {
            "  svm-counters    CPUs and devices add to the same counters",
            "  svm-neighbours  CPUs and devices on neighbouring pages: no faults after the first touch",
            "  svm-plain       the same without exclusive access: must lose updates",
            "  svm-ops         add, exchange and compare-exchange loops, 64 and 32 bits",
            "  svm-storm       the counters amid fork, madvise and mprotect",
            "  duel            two to eight devices add to the same counters; CPUs only if asked for",
            "",
            "Exit code: 0 if the oracle and all invariants hold (svm-plain: if an update was lost),",
            "1 if not, 2 for wrong usage, 130 after Ctrl-C (with the results so far)."
        })
public final class RunCommand implements Callable<Integer> {
    private static final int SEED_BOUND = 100_000;

    private final List<Workload> workloads;
    private final long operationsMax;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "WORKLOAD", defaultValue = "svm-counters", description = "See below.")
    private String workload;

    @Option(names = "--cpus", paramLabel = "N", description = "CPUs (2; duel: 0).")
    private Integer cpus;

    @Option(names = "--devices", paramLabel = "N", description = "Devices (1; duel: 2).")
    private Integer devices;

    @Option(
            names = "--lanes",
            paramLabel = "N",
            defaultValue = "32",
            description = "Lanes of each device (${DEFAULT-VALUE}).")
    private int lanes;

    @Option(
            names = "--pages",
            paramLabel = "N",
            defaultValue = "1",
            description = "Pages of counters; svm-neighbours: for the CPUs and for each device (${DEFAULT-VALUE}).")
    private int pages;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "How long, decimals allowed (${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Which counters each actor visits in which order (random).")
    private Long seed;

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            defaultValue = "K612",
            description = "Kernel behaviour: V3, V9, K514, K612, K615 (${DEFAULT-VALUE}).")
    private String profile;

    @Option(
            names = "--delivery",
            paramLabel = "HOW",
            defaultValue = "ring",
            description = "How notifications reach devices: ring, inline (${DEFAULT-VALUE}).")
    private String delivery;

    @Option(
            names = "--protocol",
            paramLabel = "NAME",
            defaultValue = "interval",
            description = "Generation of notifiers: interval, range-notifier, hmm-mirror (${DEFAULT-VALUE}).")
    private String protocol;

    @Option(
            names = "--phases",
            description = "Take both paths' time apart: most runs timed as a whole, a few phase by phase.")
    private boolean phases;

    @Option(names = "--json", description = "Print one JSON object instead of text; times in ns.")
    private boolean json;

    @Option(
            names = "--hlog",
            paramLabel = "FILE",
            description = "Write an HdrHistogram log of both paths, an interval a second and totals.")
    private Path logFile;

    /** The command as users know it. */
    public RunCommand() {
        this(Workloads.all(), Long.MAX_VALUE);
    }

    /** With other workloads, each CPU and lane ending after so many operations. */
    RunCommand(final List<Workload> workloads, final long operationsMax) {
        this.workloads = workloads;
        this.operationsMax = operationsMax;
    }

    @Override
    public Integer call() throws InterruptedException {
        final RunOptions options = options();
        try (LatencyLog log = logFile == null ? LatencyLog.none() : LatencyLog.to(logFile)) {
            return run(options, log);
        }
    }

    // ---- options --------------------------------------------------------------------------------------------

    RunOptions options() {
        final Workload chosen = workloads.stream()
                .filter(known -> known.name().equals(workload))
                .findFirst()
                .orElseThrow(() ->
                        Choice.unknown("workload", workload, workloads.stream().map(Workload::name)));
        final int cpuCount = cpus == null ? chosen.cpusDefault() : cpus;
        final int deviceCount = devices == null ? chosen.devicesDefault() : devices;
        Bounds.check("--cpus", cpuCount, chosen.cpusMin(), RunOptions.CPUS_MAX);
        Bounds.check("--devices", deviceCount, chosen.devicesMin(), RunOptions.DEVICES_MAX);
        Bounds.check("--lanes", lanes, 1, RunOptions.LANES_MAX);
        Bounds.check("--pages", pages, 1, RunOptions.PAGES_MAX);
        Bounds.check("--seconds", seconds, RunOptions.SECONDS_MIN, RunOptions.SECONDS_MAX);
        return new RunOptions(
                chosen,
                cpuCount,
                deviceCount,
                lanes,
                pages,
                seconds,
                seed == null ? ThreadLocalRandom.current().nextInt(1, SEED_BOUND) : seed,
                Choice.find("profile", profile, SemanticProfile.ALL, SemanticProfile::name),
                Choice.find("delivery", delivery, List.of(Delivery.values()), Choice::word),
                Choice.find("protocol", protocol, List.of(Protocol.values()), Choice::word),
                phases,
                operationsMax);
    }

    // ---- the run --------------------------------------------------------------------------------------------

    private int run(final RunOptions options, final LatencyLog log) throws InterruptedException {
        final Environment environment = Environment.current();
        final PrintWriter out = spec.commandLine().getOut();
        final TextReport text = new TextReport(out);
        final StopSignal stop = new StopSignal();
        if (!json) {
            text.header(options, environment);
        }
        final Interruption interruption = new Interruption(stop);
        try {
            final RunResult result;
            try (ProgressBar bar = ProgressBar.onStandardError()) {
                final String title = TextReport.title(options, environment);
                result = new Experiment(options, stop, log, new BarObserver(bar)).run(title, environment);
            }
            if (json) {
                out.println(JsonReport.of(result, environment));
            } else {
                text.result(result, environment);
            }
            out.flush();
            if (!log.isComplete()) {
                throw new IllegalStateException("the histogram log could not be written completely: file=" + logFile);
            }
            return result.isGood() ? ExitCode.OK : ExitCode.FINDING;
        } catch (final ActorFailure failure) {
            return failed(options, failure);
        } finally {
            interruption.reported();
        }
    }

    private int failed(final RunOptions options, final ActorFailure failure) {
        if (failure.getCause() instanceof final OutOfMemoryError shortage) {
            throw shortage;
        }
        final PrintWriter err = spec.commandLine().getErr();
        err.println(spec.qualifiedName(" ") + ": seed " + options.seed() + ": " + failure.getMessage());
        failure.getCause().printStackTrace(err);
        err.flush();
        return ExitCode.FINDING;
    }
}
