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
import mmutex.device.DeviceBuffer;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.MirrorHandle;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Counters in the pages of a huge page that is taken apart all the time, by whoever reclaims, frees, or migrates a part of
 * it, and put together again, while CPUs and a device count on it, children come and go, and pages are pinned. No increment
 * may be lost, no page may come or go that nothing accounts for, and every invariant holds.
 *
 * <p>Without the profiles that take one page of a large folio for another, and lose increments by design. The seed is
 * printed; {@code -Dmmutex.torture.seed=N} repeats it.
 */
class FolioSplitTortureTest {
    private static final long BASE = 0x4000_0000L;
    private static final long PAGE = 4096;
    private static final int PAGES = 512;

    /** From here on pages hold nothing that matters. */
    private static final int SCRATCH = 256;

    private static final int COUNTERS = 8;
    private static final int CPUS = 2;
    private static final int OPERATIONS = 4000;

    private final AtomicLong[] added = new AtomicLong[COUNTERS];
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger counting = new AtomicInteger(CPUS);
    private final AtomicInteger splits = new AtomicInteger();
    private final AtomicInteger collapses = new AtomicInteger();
    private Machine machine;
    private Process process;

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream().filter(profile -> !profile.makeConfusesSubpages());
    }

    @ParameterizedTest
    @MethodSource("profiles")
    @Timeout(240)
    void shouldLoseNothing(final SemanticProfile profile) throws Exception {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("split torture " + profile + " -Dmmutex.torture.seed=" + seed);
        machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(seed % 2 == 0 ? Delivery.INLINE : Delivery.RING)
                .withFrames(1 << 15)
                .withCpus(CPUS + 1));
        assertThat(machine.swapOn(4 * PAGES)).isEqualTo(Errno.OK);
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
        final MirrorHandle mirror = machine.newMirrorDevice(0).open(boot, process.space());
        final Crew crew = new Crew();
        for (int i = 0; i < CPUS; i++) {
            final Cpu cpu = machine.cpu(i);
            final Random random = new Random(seed + i);
            cpu.run(process);
            crew.start("cpu" + i, () -> count(cpu, random));
        }
        crew.start("device", () -> compute(device, new Random(seed + 10)));
        crew.start("splitter", () -> split(machine.newTask("splitter"), mirror, new Random(seed + 11)));
        crew.start("reclaimer", () -> reclaim(machine.newTask("reclaimer")));
        crew.start("collapser", () -> collapse(machine.newTask("collapser")));
        crew.start("forker", () -> fork(machine.newTask("forker")));
        crew.start("getter", () -> hold(machine.newTask("getter"), new Random(seed + 12)));
        crew.start("checker", () -> check(machine.newTask("checker")));
        crew.join();

        machine.removeDevice(boot, device);
        new InvariantChecker(machine).with(mirror).atQuiescence(boot).orThrow();
        for (int i = 0; i < COUNTERS; i++) {
            assertThat(boot.loadLong(counter(i))).isEqualTo(Signal.NONE);
            assertThat(boot.value()).as("counter %d, seed %d", i, seed).isEqualTo(added[i].get());
        }
        assertThat(splits.get()).as("splits").isPositive();
        assertThat(collapses.get()).as("collapses").isPositive();
        mirror.close(boot);
        for (int i = 0; i <= CPUS; i++) {
            machine.cpu(i).run(null);
        }
        process.exit(boot);
        final boolean zero = machine.platform().hugeZero().current() != FrameAllocator.NONE; // needed once, kept
        assertThat(machine.platform().allocator().inUse()).isEqualTo(zero ? PAGES : 0);
        assertThat(machine.platform().tables().inUse()).isZero();
        assertThat(machine.platform().swap().inUse()).isZero();
    }

    private static long counter(final int number) {
        return BASE + number * PAGE + 64;
    }

    private static long scratch(final Random random) {
        return BASE + (SCRATCH + random.nextInt(PAGES - SCRATCH)) * PAGE;
    }

    private void count(final Cpu cpu, final Random random) {
        int done = 0;
        // Until the work is done, and the page has been taken apart and put together at least once.
        while (done < OPERATIONS || (splits.get() == 0 || collapses.get() == 0) && done < 1000 * OPERATIONS) {
            final int number = random.nextInt(COUNTERS);
            assertThat(cpu.fetchAddLong(counter(number), 1)).isEqualTo(Signal.NONE);
            added[number].incrementAndGet();
            if (++done % 16 == 0) {
                assertThat(cpu.storeLong(scratch(random), done)).isEqualTo(Signal.NONE);
                Thread.yield();
            }
        }
        if (counting.decrementAndGet() == 0) {
            stop.set(true);
        }
    }

    private void compute(final SvmDevice device, final Random random) {
        // Up to 6.14 the first page only, unless the folio has been taken apart.
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

    private boolean isLarge() {
        final long pte = process.space().pageTable().peek(BASE);
        final FrameTable frames = machine.platform().frames();
        return process.space().encoding().isPresent(pte)
                && frames.isLarge(process.space().encoding().frameNumber(pte));
    }

    /** Every verb that takes a folio apart, on parts of it. */
    private void split(final Task task, final MirrorHandle mirror, final Random random) {
        final byte[] buffer = new byte[8 * (int) PAGE];
        while (!stop.get()) {
            final boolean large = isLarge();
            final int verb = random.nextInt(5);
            final Errno errno;
            switch (verb) {
                case 0:
                    errno = process.madvise(task, BASE + PAGE, 4 * PAGE, Advice.PAGEOUT);
                    break;
                case 1:
                    errno = process.madvise(task, scratch(random), PAGE, Advice.FREE);
                    break;
                case 2:
                    errno = process.madvise(task, scratch(random), PAGE, Advice.COLD);
                    break;
                case 3:
                    errno = process.madvise(task, scratch(random), PAGE, Advice.DONTNEED);
                    break;
                default:
                    errno = mirror.migrateToDevice(task, BASE + 2 * PAGE, 8, DeviceBuffer.ofArray(buffer))
                            .errno();
                    break;
            }
            assertThat(errno).as("verb %d", verb).isIn(Errno.OK, Errno.ENOENT);
            if (large && !isLarge()) {
                splits.incrementAndGet();
            }
            Thread.yield();
        }
    }

    private void reclaim(final Task task) {
        while (!stop.get()) {
            machine.reclaim(task, 3);
            machine.compact(task);
            Thread.yield();
        }
    }

    private void collapse(final Task task) {
        while (!stop.get()) {
            if (Collapser.tryCollapse(task, process.space(), BASE)) {
                collapses.incrementAndGet();
            }
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

    /** References by number, as reclaim takes them: of whatever a page of the process was just now. */
    private void hold(final Task task, final Random random) {
        final FrameTable frames = machine.platform().frames();
        while (!stop.get()) {
            final long pte = process.space().pageTable().peek(counter(random.nextInt(COUNTERS)));
            if (process.space().encoding().isPresent(pte)) {
                final long pfn = process.space().encoding().frameNumber(pte);
                if (frames.tryGet(pfn)) {
                    assertThat(frames.refCount(pfn)).isPositive();
                    machine.platform().putPage(pfn);
                }
            }
            assertThat(process.readPinned(task, counter(0) & -8, new byte[8])).isEqualTo(8);
            Thread.yield();
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
