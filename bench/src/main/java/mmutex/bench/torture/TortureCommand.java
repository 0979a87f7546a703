package mmutex.bench.torture;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleConsumer;
import mmutex.bench.run.ActorFailure;
import mmutex.bench.run.Figures;
import mmutex.bench.run.Interruption;
import mmutex.bench.run.StopSignal;
import mmutex.cli.Bounds;
import mmutex.cli.Choice;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.ProgressBar;
import mmutex.cli.UsageProblem;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Scheduler;
import mmutex.seam.Step;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code mmutex torture}: every operation at once, with oracles and invariants, in every profile and delivery. */
@Command(
        name = "torture",
        description = "Let CPUs, system calls and devices do everything at once on few pages; nothing may be lost.",
        sortOptions = false,
        footerHeading = "%n",
        footer = {
            "Without --profile or --delivery the time is shared among all of them.",
            "Exit code: 0 if all oracles and invariants hold, 1 if not (then with a line that repeats the round),",
            "2 for wrong usage, 130 after Ctrl-C (with the rounds so far)."
        })
public final class TortureCommand implements Callable<Integer> {
    private static final int SEED_BOUND = 100_000;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "20",
            description = "How long in all, decimals allowed (${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--seed", paramLabel = "N", description = "Decides every choice of every actor (random).")
    private Long seed;

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            description = "Kernel behaviour: V3, V9, K514, K612, K615 (all in turn).")
    private String profile;

    @Option(
            names = "--delivery",
            paramLabel = "HOW",
            description = "How notifications reach devices: ring, inline (both in turn).")
    private String delivery;

    @Option(
            names = "--cpus",
            paramLabel = "N",
            defaultValue = "4",
            description = "CPUs, which make system calls as well (${DEFAULT-VALUE}).")
    private int cpus;

    @Option(
            names = "--devices",
            paramLabel = "N",
            defaultValue = "2",
            description = "Devices that compute, besides those that the CPUs command (${DEFAULT-VALUE}).")
    private int devices;

    @Option(names = "--watch", description = "Watch every entry and lock as well; slower.")
    private boolean watch;

    @Option(names = "--json", description = "Print one JSON object for each round instead of text.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        final List<TortureOptions> rounds = rounds();
        if (watch) {
            SchedulePoint.install(new Yielding());
        }
        final StopSignal interrupted = new StopSignal();
        final Interruption interruption = new Interruption(interrupted);
        try {
            return run(rounds, interrupted);
        } finally {
            interruption.reported();
        }
    }

    // ---- options ----------------------------------------------------------------------------------------------

    List<TortureOptions> rounds() {
        Bounds.check("--seconds", seconds, TortureOptions.SECONDS_MIN, TortureOptions.SECONDS_MAX);
        Bounds.check("--cpus", cpus, 1, TortureOptions.HANDS_MAX);
        Bounds.check("--devices", devices, 0, TortureOptions.DEVICES_MAX);
        if (watch && !SchedulePoint.ENABLED) {
            throw new UsageProblem("--watch needs the JVM option -Dmmutex.schedule=true, which the launcher gives");
        }
        final long chosen = seed == null ? ThreadLocalRandom.current().nextInt(1, SEED_BOUND) : seed;
        final List<SemanticProfile> profiles = profile == null
                ? SemanticProfile.ALL
                : List.of(Choice.find("profile", profile, SemanticProfile.ALL, SemanticProfile::name));
        final List<Delivery> all = List.of(Delivery.values());
        final List<Delivery> deliveries =
                delivery == null ? all : List.of(Choice.find("delivery", delivery, all, Choice::word));
        final double each = Math.max(TortureOptions.SECONDS_MIN, seconds / (profiles.size() * deliveries.size()));
        final List<TortureOptions> rounds = new ArrayList<>();
        for (final SemanticProfile p : profiles) {
            for (final Delivery d : deliveries) {
                rounds.add(new TortureOptions(p, d, cpus, devices, each, chosen, watch));
            }
        }
        return rounds;
    }

    // ---- the rounds -------------------------------------------------------------------------------------------

    private int run(final List<TortureOptions> rounds, final StopSignal interrupted) throws InterruptedException {
        final PrintWriter out = spec.commandLine().getOut();
        final TortureReport report = new TortureReport(out, json, Environment.current());
        report.header(rounds);
        for (int i = 0; i < rounds.size() && !interrupted.isSet(); i++) {
            final int before = i;
            final TortureResult result;
            try (ProgressBar bar = ProgressBar.onStandardError()) {
                result = round(
                        rounds.get(i),
                        interrupted,
                        fraction -> bar.update(
                                (before + fraction) / rounds.size(),
                                Figures.count(before + 1L, "round") + " of " + rounds.size() + " · "
                                        + rounds.get(before).profile() + " · "
                                        + Choice.word(rounds.get(before).delivery())));
            } catch (final ActorFailure failure) {
                return failed(rounds.get(i), failure);
            }
            report.round(result);
            if (!result.isGood()) {
                repeat(rounds.get(i));
                return ExitCode.FINDING;
            }
        }
        report.end();
        return ExitCode.OK;
    }

    /** A round of its own signal, which the user's interrupt sets as well. */
    private static TortureResult round(
            final TortureOptions options, final StopSignal interrupted, final DoubleConsumer progress)
            throws InterruptedException {
        final StopSignal stop = new StopSignal();
        return new Torture(options, stop).run(fraction -> {
            progress.accept(fraction);
            if (interrupted.isSet()) {
                stop.set();
            }
        });
    }

    private int failed(final TortureOptions options, final ActorFailure failure) {
        if (failure.getCause() instanceof final OutOfMemoryError shortage) {
            throw shortage;
        }
        final PrintWriter err = spec.commandLine().getErr();
        err.println(spec.qualifiedName(" ") + ": " + options.profile() + ", " + Choice.word(options.delivery()) + ": "
                + failure.getMessage());
        failure.getCause().printStackTrace(err);
        repeat(options);
        return ExitCode.FINDING;
    }

    private void repeat(final TortureOptions options) {
        final PrintWriter err = spec.commandLine().getErr();
        err.println("repeat with: ./mmutex " + commandLine(options));
        err.flush();
    }

    /** What repeats a round: the choices, not the interleaving. */
    static String commandLine(final TortureOptions options) {
        return String.format(
                Locale.ROOT,
                "torture --seconds %s --seed %d --profile %s --delivery %s --cpus %d --devices %d%s",
                Figures.seconds(Math.max(options.seconds(), 10)).replace(" s", ""),
                options.seed(),
                options.profile(),
                Choice.word(options.delivery()),
                options.hands(),
                options.devices(),
                options.watched() ? " --watch" : "");
    }

    /** Watched, waits spin by way of the seam; with more actors than cores they had better yield. */
    private static final class Yielding implements Scheduler {
        @Override
        public void before(final Step step, final long subject) {}

        @Override
        public void waiting(final long subject) {
            Thread.yield();
        }
    }
}
