package mmutex.bench.torture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import java.util.stream.Stream;
import mmutex.bench.run.ActorThread;
import mmutex.bench.run.Referee;
import mmutex.bench.run.StartingLine;
import mmutex.bench.run.StopSignal;
import mmutex.bench.run.Watchdog;
import mmutex.bench.torture.op.Operations;
import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.check.InvariantChecker;
import mmutex.check.NotifierWatch;
import mmutex.check.Watch;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.mm.Errno;
import mmutex.mm.Task;

/**
 * One round: builds a machine, lets hands and devices loose on it, and judges when all have ended.
 *
 * <p>Used once, by one thread; {@link StopSignal#set} ends it early from any thread.
 */
final class Torture {
    private static final int LANES = 4;
    private static final int FRAMES = 8192;
    /** For each hand: what large folios keep, of its own processes and of copies. */
    private static final int FRAMES_PER_HAND = 8192;

    /** Whose dice are whose: hands, devices, handler. */
    private static final int HANDLER = TortureOptions.HANDS_MAX + TortureOptions.DEVICES_MAX;

    private static final long TICK_NS = 50_000_000;
    /** Seconds for one operation of an actor that has a core. */
    private static final long PATIENCE_S = 20;

    private final TortureOptions options;
    private final StopSignal stop;
    private final Machine machine;
    private final Task task;
    private final World world;
    private final List<TortureOperation> operations;
    private final StartingLine line;
    private final Gate gate;
    private final Referee referee;
    private final RefereeActor refereeActor;
    private final List<HandActor> hands = new ArrayList<>();
    private final List<ComputingActor> devices = new ArrayList<>();
    private final HandlerActor handler;
    private final int actorsPerCore;
    private final int computing;
    private Watch watch;
    private NotifierWatch notifierWatch;

    /** Sets the machine up. */
    Torture(final TortureOptions options, final StopSignal stop) {
        this.options = options;
        this.stop = stop;
        this.machine = new Machine(MachineSpec.defaults()
                .withProfile(options.profile())
                .withDelivery(options.delivery())
                .withFrames(FRAMES + (long) options.hands() * FRAMES_PER_HAND)
                .withRingCapacity(4)
                .withCpus(options.hands() + 1));
        this.task = machine.newTask("referee");
        this.computing =
                World.mayHaveManyMakers(options.profile()) ? options.devices() : Math.min(1, options.devices());
        final int working = options.hands() + computing;
        final int cores = Runtime.getRuntime().availableProcessors();
        this.actorsPerCore = (working + cores - 1) / cores;
        this.world = new World(machine, task, options.hands(), options.hands() + computing * LANES);
        this.operations = Operations.of(options.profile());
        this.line = new StartingLine(working + 2);
        this.gate = new Gate(working + 1, stop);
        final InvariantChecker checker = new InvariantChecker(machine);
        this.referee = new Referee(machine, task, checker);
        this.refereeActor = new RefereeActor(referee, gate, stop, line);
        castActors(checker);
        this.handler = new HandlerActor(world.nursery(), machine.newTask("handler"), dice(HANDLER), gate, stop, line);
        if (options.watched()) {
            watch = new Watch(machine.platform());
            // Last of all subscribers: it judges what those before it have done.
            notifierWatch = NotifierWatch.of(task, world.root().space());
            devices.forEach(actor -> notifierWatch.with(actor.device()));
            checker.with(watch).with(notifierWatch);
        }
    }

    private void castActors(final InvariantChecker checker) {
        for (int i = 0; i < options.hands(); i++) {
            final SplittableRandom dice = dice(i);
            final Hand hand = new Hand(world, i, machine.cpu(i), dice);
            checker.with(hand.mirror());
            hands.add(new HandActor(hand, operations, dice.split(), gate, stop, line));
        }
        for (int i = 0; i < computing; i++) {
            devices.add(new ComputingActor(
                    machine.newDevice(task, world.root(), LANES, this::sharedClock),
                    world,
                    dice(TortureOptions.HANDS_MAX + i),
                    gate,
                    stop,
                    line));
        }
    }

    /** The choices of an actor: the same for the same seed, whatever others do. */
    private SplittableRandom dice(final int actor) {
        return new SplittableRandom(options.seed() * 0x9E37_79B9_7F4A_7C15L + actor);
    }

    /** A driver gives up a fault after a time that is meant for a driver with a core of its own. */
    private long sharedClock() {
        return System.nanoTime() / actorsPerCore;
    }

    /**
     * Runs.
     *
     * @param progress told the fraction of the time that is over
     * @throws mmutex.bench.run.ActorFailure if an actor could not go on: an exception in core, or a hang
     */
    TortureResult run(final DoubleConsumer progress) throws InterruptedException {
        if (watch != null) {
            watch.install();
        }
        try {
            return runWatched(progress);
        } finally {
            if (watch != null) {
                watch.remove();
            }
        }
    }

    private TortureResult runWatched(final DoubleConsumer progress) throws InterruptedException {
        final List<ActorThread> all = Stream.of(hands, devices, List.of(handler, refereeActor))
                .<ActorThread>flatMap(List::stream)
                .toList();
        all.forEach(actor -> actor.thread().start());
        line.start();
        final long start = System.nanoTime();
        final long lengthNs = (long) (options.seconds() * 1e9);
        final Watchdog watchdog = new Watchdog(all, PATIENCE_S * actorsPerCore, start);
        for (long elapsed = 0; elapsed < lengthNs && !stop.isSet(); elapsed = System.nanoTime() - start) {
            TimeUnit.NANOSECONDS.sleep(Math.min(TICK_NS, lengthNs - elapsed));
            watchdog.look(stop, System.nanoTime());
            progress.accept((double) elapsed / lengthNs);
        }
        stop.set();
        final long elapsedNs = System.nanoTime() - start;
        awaitAll(all);
        return finish(elapsedNs);
    }

    /** Others may wait for ever for what a failed actor holds, and are left alone. */
    private void awaitAll(final List<ActorThread> all) throws InterruptedException {
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S * actorsPerCore);
        for (final ActorThread actor : all) {
            while (!actor.isDone() && System.nanoTime() < deadline && !stop.isFailed()) {
                TimeUnit.NANOSECONDS.timedJoin(actor.thread(), TICK_NS);
            }
            if (!actor.isDone()) {
                stop.fail(actor.name(), Watchdog.stuck(actor, PATIENCE_S * actorsPerCore));
                break;
            }
        }
        stop.throwIfFailed();
    }

    /** All actors have ended: the referee counts, the oracles are asked, and then nothing may be left. */
    private TortureResult finish(final long elapsedNs) {
        referee.checkAtEnd();
        final List<String> findings = new ArrayList<>();
        try {
            judgeCounters();
            hands.forEach(actor -> actor.hand().finish());
        } catch (final Finding finding) {
            findings.add(finding.getMessage());
        }
        if (findings.isEmpty()) {
            devices.forEach(this::remove);
            referee.checkAtEnd();
            world.end(task);
            referee.checkNothingLeft();
        }
        return new TortureResult(
                options,
                elapsedNs,
                performed(),
                devices.stream().mapToLong(ComputingActor::additions).sum(),
                refereeActor.pauses(),
                happened(),
                referee.outcome(),
                findings);
    }

    private void remove(final ComputingActor actor) {
        if (notifierWatch != null) {
            notifierWatch.without(actor.device());
        }
        machine.removeDevice(task, actor.device());
    }

    private void judgeCounters() {
        final Errno errno = world.openCounters(task);
        if (errno != Errno.OK) {
            throw new Finding("mprotect of counters: " + errno);
        }
        final Cpu cpu = machine.cpu(options.hands());
        cpu.run(world.root());
        for (int counter = 0; counter < Counters.count(); counter++) {
            final Signal signal = cpu.loadLong(Counters.addr(counter));
            final long expected = world.counters().sum(counter);
            if (signal != Signal.NONE || cpu.value() != expected) {
                throw new Finding("counter " + counter + ": " + expected + " added, found "
                        + (signal == Signal.NONE ? cpu.value() : signal));
            }
        }
        final Signal signal = cpu.loadLong(World.SHARED);
        if (signal != Signal.NONE || cpu.value() != world.sharedSum()) {
            throw new Finding("shared word: " + world.sharedSum() + " added, found "
                    + (signal == Signal.NONE ? cpu.value() : signal));
        }
        cpu.run(null);
    }

    private Map<String, Long> happened() {
        final Map<String, Long> happened = new TreeMap<>();
        hands.forEach(
                actor -> actor.hand().outcomes().forEach((what, times) -> happened.merge(what, times, Long::sum)));
        happened.merge("faults of the handler", handler.handled(), Long::sum);
        return happened;
    }

    private Map<String, Long> performed() {
        final Map<String, Long> performed = new LinkedHashMap<>();
        for (int i = 0; i < operations.size(); i++) {
            final int operation = i;
            performed.put(
                    operations.get(i).name(),
                    hands.stream().mapToLong(hand -> hand.performed(operation)).sum());
        }
        return performed;
    }
}
