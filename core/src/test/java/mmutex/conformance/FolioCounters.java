package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import mmutex.change.Advisor.Advice;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.sync.Crew;

/**
 * A process with counters in the first pages of a huge page, on which CPUs and a device count while others do what they
 * like with the page; and what all such tests have others do. The machine's last CPU is the one that begins and ends.
 */
final class FolioCounters {
    static final long BASE = 0x4000_0000L;
    static final long PAGE = 4096;
    static final int PAGES = 512;

    /** What a CPU does between every few additions. */
    @FunctionalInterface
    interface Break {
        void take(Cpu cpu, Random random, int done);
    }

    final Machine machine;
    final Process process;
    /** The CPUs have counted enough: everybody comes to an end. */
    final AtomicBoolean stop = new AtomicBoolean();

    private final AtomicLong[] added;
    private final AtomicInteger counting;
    private final Cpu boot;
    private final SvmDevice device;

    FolioCounters(final Machine machine, final int counters) {
        this.machine = machine;
        this.added = new AtomicLong[counters];
        for (int i = 0; i < counters; i++) {
            added[i] = new AtomicLong();
        }
        this.counting = new AtomicInteger(machine.spec().cpus() - 1);
        this.process = machine.newProcess();
        this.boot = machine.cpu(machine.spec().cpus() - 1);
        boot.run(process);
        assertThat(process.mmap(boot, BASE, PAGES * PAGE, VmFlags.READ | VmFlags.WRITE))
                .isEqualTo(Errno.OK);
        assertThat(process.madvise(boot, BASE, PAGES * PAGE, Advice.HUGEPAGE)).isEqualTo(Errno.OK);
        this.device = machine.newDevice(boot, process, 2, System::nanoTime);
    }

    static long counter(final int number) {
        return BASE + number * PAGE + 64;
    }

    Cpu boot() {
        return boot;
    }

    /** Lets the CPUs and the device count. */
    void count(final Crew crew, final long seed, final IntPredicate goesOn, final Break between) {
        for (int i = 0; i < machine.spec().cpus() - 1; i++) {
            final Cpu cpu = machine.cpu(i);
            cpu.run(process);
            final Random random = new Random(seed + i);
            crew.start("cpu" + i, () -> count(cpu, random, goesOn, between));
        }
        crew.start("device", () -> compute(new Random(seed + 10)));
    }

    private void count(final Cpu cpu, final Random random, final IntPredicate goesOn, final Break between) {
        int done = 0;
        while (goesOn.test(done)) {
            final int number = random.nextInt(added.length);
            assertThat(cpu.fetchAddLong(counter(number), 1)).isEqualTo(Signal.NONE);
            added[number].incrementAndGet();
            if (++done % 16 == 0) {
                between.take(cpu, random, done);
                Thread.yield();
            }
        }
        if (counting.decrementAndGet() == 0) {
            stop.set(true);
        }
    }

    /** Up to 6.14 only the first page of a folio can be had; of small pages, any. */
    private void compute(final Random random) {
        final int reachable = machine.spec().profile().makeOnePage() ? added.length : 1;
        for (final DeviceLane lane : device.lanes()) {
            startLane(lane, random, reachable);
        }
        while (!(stop.get() && device.worker().isFinished())) {
            if (!device.worker().work()) {
                device.worker().idle();
            }
            for (final DeviceLane lane : device.lanes()) {
                if (lane.isCancelled() && !stop.get()) {
                    startLane(lane, random, reachable);
                }
            }
        }
        device.worker().stop();
    }

    private void startLane(final DeviceLane lane, final Random random, final int reachable) {
        final int[] number = {random.nextInt(reachable)};
        lane.start(l -> {
            if (l.modifyLong(counter(number[0]), DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                added[number[0]].incrementAndGet();
                number[0] = random.nextInt(reachable);
            }
            return !stop.get();
        });
    }

    /** Children come and go. */
    void fork(final Task task) {
        for (int i = 0; !stop.get(); i++) {
            Thread.yield();
            if (i % 8 == 0) {
                final Process.Forked forked = process.fork(task);
                assertThat(forked.errno()).isIn(Errno.OK, Errno.ENOMEM);
                if (forked.child() != null) {
                    forked.child().exit(task);
                }
            }
        }
    }

    /** What can be said at any moment is. */
    void check(final Task task) {
        final InvariantChecker checker = new InvariantChecker(machine);
        while (!stop.get()) {
            checker.now(task).orThrow();
            Thread.yield();
        }
    }

    /** All have ended: nothing was lost, and every invariant holds. */
    void judge(final InvariantChecker checker, final long seed) {
        machine.removeDevice(boot, device);
        checker.atQuiescence(boot).orThrow();
        for (int i = 0; i < added.length; i++) {
            assertThat(boot.loadLong(counter(i))).isEqualTo(Signal.NONE);
            assertThat(boot.value()).as("counter %d, seed %d", i, seed).isEqualTo(added[i].get());
        }
    }

    /** Ends the process; frames that are in use then are the machine's. */
    void exit(final long framesLeft) {
        for (int i = 0; i < machine.spec().cpus(); i++) {
            machine.cpu(i).run(null);
        }
        process.exit(boot);
        assertThat(machine.platform().allocator().inUse()).isEqualTo(framesLeft);
        assertThat(machine.platform().tables().inUse()).isZero();
    }
}
