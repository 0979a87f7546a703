package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.change.Collapser;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
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
import mmutex.sync.Crew;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Counters in the pages of a huge page: CPUs and a device count on them while others split the page, put it together again
 * and fork. No increment may be lost and every invariant holds. Without the profiles that take one page of a large folio
 * for another, and lose increments by design.
 *
 * <p>The seed is printed; {@code -Dmmutex.torture.seed=N} repeats it.
 */
class HugePageTortureTest {
    private static final long BASE = 0x4000_0000L;
    private static final long PAGE = 4096;
    private static final int PAGES = 512;
    /** The last page holds nothing that matters: discarding it splits the huge page. */
    private static final long SCRATCH = BASE + (PAGES - 1) * PAGE;

    private static final int COUNTERS = 4;
    private static final int CPUS = 2;
    private static final int OPERATIONS = 1500;

    private final AtomicLong[] added = new AtomicLong[COUNTERS];
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger counting = new AtomicInteger(CPUS);
    private final AtomicInteger collapses = new AtomicInteger();
    private Machine machine;
    private Process process;

    static Stream<Arguments> profilesAndDeliveries() {
        return SemanticProfile.ALL.stream()
                .filter(profile -> !profile.makeConfusesSubpages())
                .flatMap(profile -> Stream.of(Delivery.values()).map(delivery -> Arguments.of(profile, delivery)));
    }

    @ParameterizedTest
    @MethodSource("profilesAndDeliveries")
    @Timeout(240)
    void shouldLoseNothing(final SemanticProfile profile, final Delivery delivery) throws Exception {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("huge torture " + profile + " " + delivery + " -Dmmutex.torture.seed=" + seed);
        machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(delivery)
                .withFrames(1 << 14)
                .withCpus(CPUS + 1));
        process = machine.newProcess();
        final Cpu boot = machine.cpu(CPUS);
        boot.run(process);
        assertThat(process.mmap(boot, BASE, PAGES * PAGE, VmFlags.READ | VmFlags.WRITE))
                .isEqualTo(Errno.OK);
        assertThat(process.madvise(boot, BASE, PAGES * PAGE, Advice.HUGEPAGE)).isEqualTo(Errno.OK);
        for (int i = 0; i < COUNTERS; i++) {
            added[i] = new AtomicLong();
        }
        final SvmDevice device = machine.newDevice(boot, process, 2, System::nanoTime);
        final Crew crew = new Crew();
        for (int i = 0; i < CPUS; i++) {
            final Cpu cpu = machine.cpu(i);
            final Random random = new Random(seed + i);
            cpu.run(process);
            crew.start("cpu" + i, () -> count(cpu, random));
        }
        crew.start("device", () -> compute(device, new Random(seed + 10)));
        crew.start("splitter", () -> split(machine.newTask("splitter")));
        crew.start("collapser", () -> collapse(machine.newTask("collapser")));
        crew.start("forker", () -> fork(machine.newTask("forker")));
        crew.start("checker", () -> check(machine.newTask("checker")));
        crew.join();

        machine.removeDevice(boot, device);
        new InvariantChecker(machine).atQuiescence(boot).orThrow();
        for (int i = 0; i < COUNTERS; i++) {
            assertThat(boot.loadLong(counter(i))).isEqualTo(Signal.NONE);
            assertThat(boot.value()).as("counter %d, seed %d", i, seed).isEqualTo(added[i].get());
        }
        assertThat(collapses.get()).as("collapses").isPositive();
        for (int i = 0; i <= CPUS; i++) {
            machine.cpu(i).run(null);
        }
        process.exit(boot);
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isZero();
    }

    private static long counter(final int number) {
        return BASE + number * PAGE + 64;
    }

    private void count(final Cpu cpu, final Random random) {
        int done = 0;
        // Until the work is done, and the page has been put together at least once.
        while (done < OPERATIONS || collapses.get() == 0) {
            final int number = random.nextInt(COUNTERS);
            assertThat(cpu.fetchAddLong(counter(number), 1)).isEqualTo(Signal.NONE);
            added[number].incrementAndGet();
            if (++done % 16 == 0) {
                Thread.yield();
            }
        }
        if (counting.decrementAndGet() == 0) {
            stop.set(true);
        }
    }

    /** Up to 6.14 only the first page of a folio can be had; of small pages, any. */
    private void compute(final SvmDevice device, final Random random) {
        final int reachable = machine.spec().profile().makeOnePage() ? COUNTERS : 1;
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

    private void split(final Task task) {
        while (!stop.get()) {
            assertThat(process.madvise(task, SCRATCH, PAGE, Advice.DONTNEED)).isEqualTo(Errno.OK);
            Thread.yield();
        }
    }

    private void collapse(final Task task) {
        while (!stop.get()) {
            if (Collapser.tryCollapse(task, process.space(), BASE)) {
                collapses.incrementAndGet();
            }
            Thread.yield();
            final Errno errno = process.madvise(task, BASE, PAGES * PAGE, Advice.COLLAPSE);
            assertThat(errno).isIn(Errno.OK, Errno.EAGAIN, Errno.EINVAL, Errno.ENOMEM);
            Thread.yield();
        }
    }

    private void fork(final Task task) {
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

    private void check(final Task task) {
        final InvariantChecker checker = new InvariantChecker(machine);
        while (!stop.get()) {
            checker.now(task).orThrow();
            Thread.yield();
        }
    }
}
