package mmutex.conformance;

import static mmutex.conformance.FolioCounters.BASE;
import static mmutex.conformance.FolioCounters.PAGE;
import static mmutex.conformance.FolioCounters.PAGES;
import static mmutex.conformance.FolioCounters.counter;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.change.Collapser;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
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
    /** From here on pages hold nothing that matters. */
    private static final int SCRATCH = 256;

    private static final int COUNTERS = 8;
    private static final int CPUS = 2;
    private static final int OPERATIONS = 4000;

    private final AtomicInteger splits = new AtomicInteger();
    private final AtomicInteger collapses = new AtomicInteger();
    private Machine machine;
    private FolioCounters counters;

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
        counters = new FolioCounters(machine, COUNTERS);
        final MirrorHandle mirror = machine.newMirrorDevice(0).open(counters.boot(), counters.process.space());
        final Crew crew = new Crew();
        counters.count(
                crew,
                seed,
                this::goesOn,
                (cpu, random, done) ->
                        assertThat(cpu.storeLong(scratch(random), done)).isEqualTo(Signal.NONE));
        crew.start("splitter", () -> split(machine.newTask("splitter"), mirror, new Random(seed + 11)));
        crew.start("reclaimer", () -> reclaim(machine.newTask("reclaimer")));
        crew.start("collapser", () -> collapse(machine.newTask("collapser")));
        crew.start("forker", () -> counters.fork(machine.newTask("forker")));
        crew.start("getter", () -> hold(machine.newTask("getter"), new Random(seed + 12)));
        crew.start("checker", () -> counters.check(machine.newTask("checker")));
        crew.join();

        counters.judge(new InvariantChecker(machine).with(mirror), seed);
        assertThat(splits.get()).as("splits").isPositive();
        assertThat(collapses.get()).as("collapses").isPositive();
        mirror.close(counters.boot());
        final boolean zero = machine.platform().hugeZero().current() != FrameAllocator.NONE; // needed once, kept
        counters.exit(zero ? PAGES : 0);
        assertThat(machine.platform().swap().inUse()).isZero();
    }

    /** Until the work is done, and the page has been taken apart and put together at least once. */
    private boolean goesOn(final int done) {
        return done < OPERATIONS || (splits.get() == 0 || collapses.get() == 0) && done < 1000 * OPERATIONS;
    }

    private static long scratch(final Random random) {
        return BASE + (SCRATCH + random.nextInt(PAGES - SCRATCH)) * PAGE;
    }

    private boolean isLarge() {
        final long pte = counters.process.space().pageTable().peek(BASE);
        final FrameTable frames = machine.platform().frames();
        return counters.process.space().encoding().isPresent(pte)
                && frames.isLarge(counters.process.space().encoding().frameNumber(pte));
    }

    /** Every verb that takes a folio apart, on parts of it. */
    private void split(final Task task, final MirrorHandle mirror, final Random random) {
        final byte[] buffer = new byte[8 * (int) PAGE];
        while (!counters.stop.get()) {
            final boolean large = isLarge();
            final int verb = random.nextInt(5);
            final Errno errno;
            switch (verb) {
                case 0:
                    errno = counters.process.madvise(task, BASE + PAGE, 4 * PAGE, Advice.PAGEOUT);
                    break;
                case 1:
                    errno = counters.process.madvise(task, scratch(random), PAGE, Advice.FREE);
                    break;
                case 2:
                    errno = counters.process.madvise(task, scratch(random), PAGE, Advice.COLD);
                    break;
                case 3:
                    errno = counters.process.madvise(task, scratch(random), PAGE, Advice.DONTNEED);
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
        while (!counters.stop.get()) {
            machine.reclaim(task, 3);
            machine.compact(task);
            Thread.yield();
        }
    }

    private void collapse(final Task task) {
        while (!counters.stop.get()) {
            if (Collapser.tryCollapse(task, counters.process.space(), BASE)) {
                collapses.incrementAndGet();
            }
            Thread.yield();
        }
    }

    /** References by number, as reclaim takes them: of whatever a page of the process was just now. */
    private void hold(final Task task, final Random random) {
        final FrameTable frames = machine.platform().frames();
        while (!counters.stop.get()) {
            final long pte = counters.process.space().pageTable().peek(counter(random.nextInt(COUNTERS)));
            if (counters.process.space().encoding().isPresent(pte)) {
                final long pfn = counters.process.space().encoding().frameNumber(pte);
                if (frames.tryGet(pfn)) {
                    assertThat(frames.refCount(pfn)).isPositive();
                    machine.platform().putPage(pfn);
                }
            }
            assertThat(counters.process.readPinned(task, counter(0) & -8, new byte[8]))
                    .isEqualTo(8);
            Thread.yield();
        }
    }
}
