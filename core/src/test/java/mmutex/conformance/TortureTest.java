package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.check.CheckReport;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.DeviceWorker;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything at once, more actors than cores: CPUs and devices count on shared pages while others write-protect them, fork
 * and discard. No increment may be lost, every isolation tag must hold, and every invariant at the end.
 *
 * <p>The seed decides what each actor does, not how they interleave; it is printed, and {@code -Dmmutex.torture.seed=N}
 * repeats it, {@code -Dmmutex.torture.scale=N} multiplies the work.
 */
class TortureTest {
    private static final long COUNTERS = 0x4000_0000L;
    private static final long CHAOS = 0x5000_0000L;
    private static final int COUNTER_PAGES = 3;
    private static final int CHAOS_PAGES = 6;
    private static final int PAGE = 4096;
    private static final long RW = VmFlags.READ | VmFlags.WRITE;

    static Stream<Arguments> everyProfileAndDelivery() {
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(Delivery.values()).map(delivery -> Arguments.of(profile, delivery)));
    }

    @ParameterizedTest
    @MethodSource("everyProfileAndDelivery")
    @Timeout(120)
    void shouldLoseNothingUnderTorture(final SemanticProfile profile, final Delivery delivery) throws Exception {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("torture " + profile + " " + delivery + " -Dmmutex.torture.seed=" + seed);
        new Torture(profile, delivery, seed, Integer.getInteger("mmutex.torture.scale", 1)).run();
    }

    @ParameterizedTest
    @MethodSource("everyProfileAndDelivery")
    @Tag("slow")
    @Timeout(600)
    void shouldLoseNothingForLonger(final SemanticProfile profile, final Delivery delivery) throws Exception {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("torture " + profile + " " + delivery + " -Dmmutex.torture.seed=" + seed);
        new Torture(profile, delivery, seed, Integer.getInteger("mmutex.torture.scale", 40)).run();
    }

    private static final class Torture {
        private static final int CPUS = 3;
        private static final int DEVICES = 2;

        private final SemanticProfile profile;
        private final long seed;
        private final int scale;
        private final Machine machine;
        private final Process process;
        private final Cpu boot;
        private final Cpu childCpu;
        private final List<Thread> threads = new ArrayList<>();
        private final List<SvmDevice> devices = new ArrayList<>();
        private final AtomicLong[] added = new AtomicLong[COUNTER_PAGES];
        private final AtomicBoolean stop = new AtomicBoolean();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private final CyclicBarrier start = new CyclicBarrier(CPUS + DEVICES + 4);

        Torture(final SemanticProfile profile, final Delivery delivery, final long seed, final int scale) {
            this.profile = profile;
            this.seed = seed;
            this.scale = scale;
            machine = new Machine(MachineSpec.defaults()
                    .withProfile(profile)
                    .withDelivery(delivery)
                    .withFrames(4096)
                    .withRingCapacity(4)
                    .withCpus(CPUS + 2));
            process = machine.newProcess();
            boot = machine.cpu(CPUS);
            childCpu = machine.cpu(CPUS + 1);
            boot.run(process);
            assertThat(process.mmap(boot, COUNTERS, COUNTER_PAGES * PAGE, RW)).isEqualTo(Errno.OK);
            assertThat(process.mmap(boot, CHAOS, CHAOS_PAGES * PAGE, RW)).isEqualTo(Errno.OK);
            for (int i = 0; i < COUNTER_PAGES; i++) {
                added[i] = new AtomicLong();
            }
        }

        void run() throws Exception {
            for (int i = 0; i < CPUS; i++) {
                final Cpu cpu = machine.cpu(i);
                final Random random = new Random(seed + i);
                cpu.run(process);
                spawn(() -> count(cpu, random));
            }
            for (int i = 0; i < DEVICES; i++) {
                final SvmDevice device = machine.newDevice(boot, process, 4, System::nanoTime);
                devices.add(device);
                final Random random = new Random(seed + 100 + i);
                spawn(() -> compute(device, random));
            }
            spawn(() -> protect(machine.newTask("protector"), new Random(seed + 200)));
            spawn(() -> discard(machine.newTask("discarder"), new Random(seed + 300)));
            spawn(() -> fork(machine.newTask("forker"), new Random(seed + 400)));
            spawn(() -> check(machine.newTask("checker")));
            threads.forEach(Thread::start);
            for (int i = 0; i < CPUS; i++) {
                threads.get(i).join();
            }
            stop.set(true);
            for (final Thread thread : threads) {
                thread.join();
            }
            if (failure.get() != null) {
                throw new AssertionError("seed " + seed, failure.get());
            }
            finish();
        }

        private void spawn(final ThrowingRunnable body) {
            threads.add(new Thread(() -> {
                try {
                    start.await();
                    body.run();
                } catch (final Throwable e) {
                    failure.compareAndSet(null, e);
                    stop.set(true);
                }
            }));
        }

        private boolean goesOn() {
            return failure.get() == null;
        }

        private void count(final Cpu cpu, final Random random) {
            final int operations = 4000 * scale;
            for (int i = 0; i < operations && goesOn(); i++) {
                final int page = random.nextInt(COUNTER_PAGES);
                if (random.nextInt(8) != 0) {
                    final Signal signal = cpu.fetchAddLong(COUNTERS + page * PAGE, 1);
                    if (signal == Signal.NONE) {
                        added[page].incrementAndGet();
                    } else {
                        assertThat(signal).isEqualTo(Signal.SEGV_ACCERR); // the protector was here
                    }
                } else {
                    final long addr = CHAOS + random.nextInt(CHAOS_PAGES) * PAGE + 8 * cpu.number();
                    final Signal signal = random.nextBoolean() ? cpu.storeLong(addr, i) : cpu.loadLong(addr);
                    assertThat(signal).isIn(Signal.NONE, Signal.SEGV_MAPERR);
                }
                if (i % 64 == 0) {
                    Thread.yield();
                }
            }
        }

        private void compute(final SvmDevice device, final Random random) {
            final DeviceWorker worker = device.worker();
            for (final DeviceLane lane : device.lanes()) {
                startLane(lane, random);
            }
            int turns = 0;
            while (!(stop.get() && worker.isFinished()) && goesOn()) {
                if (!worker.work()) {
                    worker.idle();
                }
                // A cancelled channel is opened again: the protector or the discarder was in the way.
                for (final DeviceLane lane : device.lanes()) {
                    if (lane.isCancelled() && !stop.get()) {
                        startLane(lane, random);
                    }
                }
                if (++turns % 16 == 0) {
                    Thread.yield();
                }
            }
            worker.stop();
        }

        private void startLane(final DeviceLane lane, final Random random) {
            final int[] page = {random.nextInt(COUNTER_PAGES)};
            lane.start(l -> {
                if (random.nextInt(16) == 0) {
                    l.storeLong(CHAOS + random.nextInt(CHAOS_PAGES) * PAGE + 2048, 1);
                } else if (l.modifyLong(COUNTERS + page[0] * PAGE, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                    added[page[0]].incrementAndGet();
                    page[0] = random.nextInt(COUNTER_PAGES);
                }
                return !stop.get();
            });
        }

        private void protect(final Task task, final Random random) {
            while (!stop.get()) {
                final int page = random.nextInt(COUNTER_PAGES);
                final int pages = 1 + random.nextInt(COUNTER_PAGES - page);
                final long addr = COUNTERS + page * PAGE;
                assertThat(process.mprotect(task, addr, pages * PAGE, VmFlags.READ))
                        .isEqualTo(Errno.OK);
                Thread.yield();
                assertThat(process.mprotect(task, addr, pages * PAGE, RW)).isEqualTo(Errno.OK);
                Thread.yield();
            }
            process.mprotect(task, COUNTERS, COUNTER_PAGES * PAGE, RW);
        }

        private void discard(final Task task, final Random random) {
            while (!stop.get()) {
                final int page = random.nextInt(CHAOS_PAGES);
                final long addr = CHAOS + page * PAGE;
                if (random.nextInt(4) != 0) {
                    process.madvise(task, addr, (1 + random.nextInt(CHAOS_PAGES - page)) * PAGE, Advice.DONTNEED);
                } else {
                    assertThat(process.munmap(task, addr, PAGE)).isEqualTo(Errno.OK);
                    assertThat(process.mmap(task, addr, PAGE, RW)).isEqualTo(Errno.OK);
                }
                Thread.yield();
            }
        }

        /** The child's view is frozen at the fork: it never sees later increments, and its own are its own. */
        private void fork(final Task task, final Random random) {
            while (!stop.get()) {
                final Process.Forked forked = process.fork(task);
                if (forked.errno() != Errno.OK) {
                    assertThat(forked.errno()).isEqualTo(Errno.ENOMEM); // a driver held a page
                    continue;
                }
                childCpu.run(forked.child());
                final long addr = COUNTERS + random.nextInt(COUNTER_PAGES) * PAGE;
                assertThat(childCpu.loadLong(addr)).isEqualTo(Signal.NONE);
                final long seen = childCpu.value();
                Thread.yield();
                assertThat(childCpu.loadLong(addr)).isEqualTo(Signal.NONE);
                assertThat(childCpu.value()).as("frozen at the fork").isEqualTo(seen);
                if (childCpu.storeLong(addr, -1) == Signal.NONE) {
                    childCpu.loadLong(addr);
                    assertThat(childCpu.value()).isEqualTo(-1);
                }
                childCpu.run(null);
                forked.child().exit(task);
            }
        }

        private void check(final Task task) {
            final InvariantChecker checker = new InvariantChecker(machine);
            while (!stop.get()) {
                final CheckReport report = checker.now(task);
                // A driver of V3 has no way to notice a discard between make and map, so its mapping may be stale.
                if (profile.makePassesOwner()) {
                    report.orThrow();
                }
                Thread.yield();
            }
        }

        private void finish() {
            for (final SvmDevice device : devices) {
                machine.removeDevice(boot, device);
            }
            new InvariantChecker(machine).atQuiescence(boot).orThrow();
            for (int i = 0; i < COUNTER_PAGES; i++) {
                assertThat(boot.loadLong(COUNTERS + i * PAGE)).isEqualTo(Signal.NONE);
                assertThat(boot.value()).as("counter %d, seed %d", i, seed).isEqualTo(added[i].get());
            }
            for (int i = 0; i < CPUS; i++) {
                machine.cpu(i).run(null);
            }
            boot.run(null);
            process.exit(boot);
            assertThat(machine.platform().allocator().inUse()).isZero();
            assertThat(machine.platform().tables().inUse()).isZero();
        }
    }

    @FunctionalInterface
    private interface ThrowingRunnable {
        void run() throws Exception;
    }
}
