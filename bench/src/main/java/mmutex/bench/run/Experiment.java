package mmutex.bench.run;

import java.util.ArrayList;
import java.util.List;
import mmutex.bench.run.workload.Scene;
import mmutex.bench.run.workload.Stage;
import mmutex.bench.run.workload.Verdict;
import mmutex.cli.Environment;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Task;
import mmutex.sync.PhaseProbe;
import mmutex.sync.PhaseProbe.Path;
import org.HdrHistogram.Histogram;

/**
 * One run: builds a machine, lets a thread per actor work on it, watches, and judges when all have ended.
 *
 * <p>Used once, by one thread; {@link StopSignal#set} ends it early from any thread.
 */
final class Experiment {
    private static final long TICK_NS = 100_000_000;
    private static final long LOG_INTERVAL_NS = 1_000_000_000;
    private static final long FRAMES_SPARE = 1024;

    private final RunOptions options;
    private final StopSignal stop;
    private final LatencyLog log;
    private final Observer observer;

    private final Machine machine;
    private final Process process;
    private final Task task;
    private final Scene scene;
    private final Referee referee;
    private final Timing timing;
    private final Cast cast;
    private final LatencyCollector restores;
    private final LatencyCollector makes;
    private final List<RunResult.Interval> intervals = new ArrayList<>();
    private long drainedNs;
    private long drainedOperations;

    /** Told how far the run is. */
    @FunctionalInterface
    interface Observer {
        /** Several times a second: the fraction of the time that is over, restores and operations so far. */
        void progressed(double fraction, long elapsedNs, long restores, long operations);
    }

    /** Sets the machine up. */
    Experiment(final RunOptions options, final StopSignal stop, final LatencyLog log, final Observer observer) {
        this.options = options;
        this.stop = stop;
        this.log = log;
        this.observer = observer;
        this.machine = new Machine(spec(options));
        this.process = machine.newProcess();
        this.task = machine.newTask("referee");
        this.scene = options.workload()
                .prepare(new Stage(process, task, options.cpus(), options.devices(), options.pages(), options.seed()));
        this.referee = new Referee(machine, task);
        this.timing = new Timing(options);
        this.cast = new Cast(options, machine, process, task, scene, referee, timing, stop);
        this.restores = new LatencyCollector(
                Path.RESTORE, cast.cpus().stream().map(CpuActor::restores).toList());
        this.makes = new LatencyCollector(
                Path.MAKE, cast.devices().stream().map(DeviceActor::makes).toList());
    }

    private static MachineSpec spec(final RunOptions options) {
        final MachineSpec defaults = MachineSpec.defaults();
        // Twice, for copies that a fork causes.
        final long frames = 2 * options.workload().pagesMapped(options.pages(), options.devices()) + FRAMES_SPARE;
        return defaults.withCpus(Math.max(1, options.cpus())) // one judges, even if none works
                .withProfile(options.profile())
                .withDelivery(options.delivery())
                .withProtocol(options.protocol())
                .withFrames(Math.max(frames, defaults.frames()));
    }

    /**
     * Runs.
     *
     * @param title for the log
     * @param environment for the log
     * @throws ActorFailure if an actor could not go on
     */
    RunResult run(final String title, final Environment environment) throws InterruptedException {
        log.start(title, environment, System.currentTimeMillis());
        cast.start();
        final long start = System.nanoTime();
        watch(start);
        stop.set();
        final long elapsedNs = System.nanoTime() - start;
        cast.awaitAll();
        return finish(elapsedNs);
    }

    /** Returns when the time is over, the programs have ended, or there is a reason to stop. */
    private void watch(final long start) throws InterruptedException {
        final long lengthNs = lengthNs();
        final Watchdog watchdog = new Watchdog(cast.all(), cast.patienceS(), start);
        long nextInterval = LOG_INTERVAL_NS;
        long elapsed = 0;
        while (elapsed < lengthNs
                && !stop.isSet()
                && !cast.awaitPrograms(Math.min(TICK_NS, lengthNs - elapsed))
                && cast.devices().stream().allMatch(device -> device.cancelledLanes() == 0)) {
            final long now = System.nanoTime();
            elapsed = now - start;
            watchdog.look(stop, now);
            if (elapsed >= nextInterval) {
                nextInterval += LOG_INTERVAL_NS;
                drain(elapsed);
            }
            observe(elapsed);
        }
    }

    private long lengthNs() {
        return (long) (options.seconds() * 1e9);
    }

    private void observe(final long elapsedNs) {
        observer.progressed(
                (double) elapsedNs / lengthNs(), elapsedNs, restores.total().getTotalCount(), cast.operations());
    }

    private void drain(final long elapsedNs) {
        final long now = System.currentTimeMillis();
        final Histogram restored = restores.drain();
        final Histogram made = makes.drain();
        log.interval(restores.path(), restored, now);
        log.interval(makes.path(), made, now);
        log.intervalEnds(now);
        final long operations = cast.operations();
        intervals.add(new RunResult.Interval(
                (elapsedNs - drainedNs) / 1e9,
                operations - drainedOperations,
                RunResult.Latency.of(restored),
                RunResult.Latency.of(made)));
        drainedNs = elapsedNs;
        drainedOperations = operations;
    }

    /** All actors have ended. */
    private RunResult finish(final long elapsedNs) {
        drain(elapsedNs);
        observe(elapsedNs);
        final PathLatency restore = restores.latency(timing.breakdown(Path.RESTORE));
        final PathLatency make = makes.latency(timing.breakdown(Path.MAKE));
        log.total(restore);
        log.total(make);
        final long shootDowns = process.space().windows().flushes();
        final List<RunResult.Actor> actors = actors();
        final Verdict verdict = judge();
        return new RunResult(
                options,
                machine.platform().encoding().name(),
                cast.quantumNs(),
                elapsedNs,
                restore,
                make,
                hits(),
                actors,
                List.copyOf(intervals),
                cast.disturbances().stream()
                        .map(actor -> actor.disturbance().tally())
                        .toList(),
                shootDowns,
                verdict,
                referee.outcome());
    }

    private Histogram hits() {
        final Histogram hits = PathRecorder.newHistogram();
        cast.cpus().forEach(cpu -> hits.add(cpu.hits()));
        return hits;
    }

    private List<RunResult.Actor> actors() {
        final List<RunResult.Actor> actors = new ArrayList<>();
        cast.cpus().forEach(cpu -> actors.add(cpu.result()));
        cast.devices().forEach(device -> actors.add(device.result()));
        return actors;
    }

    /** The referees before anything is taken apart, the oracle, and again what is left of it all. */
    private Verdict judge() {
        referee.checkAtEnd();
        final Cpu cpu = machine.cpu(0);
        cpu.run(process);
        cpu.probe(PhaseProbe.NONE);
        final Verdict verdict = scene.verdict(cpu);
        cast.devices().forEach(device -> machine.removeDevice(task, device.device()));
        referee.checkAtEnd();
        cpu.run(null);
        cast.cpus().forEach(actor -> actor.cpu().run(null));
        process.exit(task);
        referee.checkNothingLeft();
        return verdict;
    }
}
