package mmutex.bench.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import mmutex.bench.run.workload.Disturbance;
import mmutex.bench.run.workload.Scene;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.Process;
import mmutex.mm.Task;

/** All actors of a run, a thread each. Used by one thread, which starts them and waits for them. */
final class Cast {
    /** Checks of invariants while actors work, evenly spread. */
    private static final int CHECKS = 10;

    private static final long CHECK_INTERVAL_NS_MIN = 250_000_000L;
    /** Seconds for one operation of an actor that has a core. */
    private static final long PATIENCE_S = 10;

    private final StopSignal stop;
    private final StartingLine line;
    private final int actorsPerCore;
    private final long quantumNs;
    private final List<CpuActor> cpus = new ArrayList<>();
    private final List<DeviceActor> devices = new ArrayList<>();
    private final List<DisturbanceActor> disturbances = new ArrayList<>();
    private final RefereeActor referee;

    /** Makes the actors; {@code task} attaches the devices. */
    Cast(
            final RunOptions options,
            final Machine machine,
            final Process process,
            final Task task,
            final Scene scene,
            final Referee referee,
            final Timing timing,
            final StopSignal stop) {
        this.stop = stop;
        final List<Disturbance> others = scene.disturbances();
        final int working = options.cpus() + options.devices() + others.size();
        final int cores = Runtime.getRuntime().availableProcessors();
        this.actorsPerCore = (working + cores - 1) / cores;
        this.quantumNs = Quantum.lengthNs(working, cores);
        this.line = new StartingLine(working + 1);
        for (int i = 0; i < options.cpus(); i++) {
            final Cpu cpu = machine.cpu(i);
            cpu.run(process);
            cpus.add(new CpuActor(cpu, scene, options.operationsMax(), quantumNs, timing, stop, line));
        }
        for (int i = 0; i < options.devices(); i++) {
            devices.add(new DeviceActor(
                    machine.newDevice(task, process, options.lanes(), this::sharedClock),
                    i,
                    scene,
                    options.operationsMax(),
                    quantumNs,
                    timing,
                    stop,
                    line));
        }
        for (final Disturbance other : others) {
            disturbances.add(new DisturbanceActor(other, machine.newTask(other.name()), stop, line));
        }
        final long checkIntervalNs = Math.max(CHECK_INTERVAL_NS_MIN, (long) (options.seconds() * 1e9 / (CHECKS + 1)));
        this.referee = new RefereeActor(referee, checkIntervalNs, stop, line);
    }

    /** A driver gives up a fault after a time that is meant for a driver with a core of its own. */
    private long sharedClock() {
        return System.nanoTime() / actorsPerCore;
    }

    /** Seconds for one operation of an actor. */
    long patienceS() {
        return PATIENCE_S * actorsPerCore;
    }

    List<CpuActor> cpus() {
        return cpus;
    }

    List<DeviceActor> devices() {
        return devices;
    }

    List<DisturbanceActor> disturbances() {
        return disturbances;
    }

    /** Those that run a program, and end by themselves when it does. */
    List<ActorThread> programs() {
        return Stream.of(cpus, devices).<ActorThread>flatMap(List::stream).toList();
    }

    /** Everybody. */
    List<ActorThread> all() {
        return Stream.of(cpus, devices, disturbances, List.of(referee))
                .<ActorThread>flatMap(List::stream)
                .toList();
    }

    /** After how long those that work yield; 0 if each has a core. */
    long quantumNs() {
        return quantumNs;
    }

    /** Operations of all programs so far. */
    long operations() {
        return programs().stream()
                .mapToLong(actor -> actor.progress().operations())
                .sum();
    }

    /** Starts them together. */
    void start() throws InterruptedException {
        all().forEach(actor -> actor.thread().start());
        line.start();
    }

    /** Waits so long at most for all programs to end by themselves; whether they have. */
    boolean awaitPrograms(final long ns) throws InterruptedException {
        final long deadline = System.nanoTime() + ns;
        for (final ActorThread actor : programs()) {
            join(actor, deadline);
            if (!actor.isDone()) {
                return false;
            }
        }
        return true;
    }

    /**
     * Waits for everybody, after the stop signal.
     *
     * @throws ActorFailure if somebody failed; others may then wait for ever for what he holds, and are left alone
     */
    void awaitAll() throws InterruptedException {
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(patienceS());
        for (final ActorThread actor : all()) {
            join(actor, deadline);
            if (!actor.isDone()) {
                stop.fail(actor.name(), Watchdog.stuck(actor, patienceS()));
                break;
            }
        }
        stop.throwIfFailed();
        devices.forEach(DeviceActor::requireNoCancelledLane);
    }

    private static void join(final ActorThread actor, final long deadline) throws InterruptedException {
        final long left = deadline - System.nanoTime();
        if (left > 0) {
            TimeUnit.NANOSECONDS.timedJoin(actor.thread(), left);
        }
    }
}
