package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Swap-out, swap-in, dropping of lazily freed pages, and compaction. */
class ReclaimerTest {
    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static Emulation withSwap(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        assertThat(emulation.machine.swapOn(64)).isEqualTo(Errno.OK);
        return emulation;
    }

    private static long swapInUse(final Emulation emulation) {
        return emulation.platform.swap().inUse();
    }

    private static MirrorHandle exclusive(final Emulation emulation, final long first, final int count) {
        final MirrorHandle handle = emulation.open(0);
        assertThat(handle.exclusive(
                                emulation.cpu, addr(first), count, DeviceBuffer.ofArray(new byte[count * (int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
        return handle;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSwapOutAndBackIn(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 4);
        final List<Event> events = emulation.record();

        assertThat(emulation.process.madvise(emulation.cpu, addr(1), 2 * PAGE, Advice.PAGEOUT))
                .isEqualTo(Errno.OK);

        assertThat(events)
                .containsExactly(new Event(NotifierEvent.CLEAR, 1, 2, 0), new Event(NotifierEvent.CLEAR, 2, 3, 0));
        assertThat(emulation.kind(1)).isEqualTo(PteKind.SWAP);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(2);
        assertThat(emulation.space.swapEntries().value()).isEqualTo(2);
        assertThat(swapInUse(emulation)).isEqualTo(2);
        emulation.assertSound();
        events.clear();

        assertThat(emulation.load(2)).isEqualTo(2);
        emulation.store(1, 9);

        assertThat(events).as("nothing was mapped").isEmpty();
        assertThat(emulation.load(1)).isEqualTo(9);
        assertThat(swapInUse(emulation)).isZero();
        emulation.assertNothingIsLeft();
    }

    /**
     * The page could come back otherwise, change, and go to the same slot again while a fault reads it; the entry would
     * look as before, and the fault would map what the page was once.
     */
    @Test
    @Timeout(60)
    void shouldHoldASlotWhileItIsRead() throws Exception {
        final Emulation emulation = withSwap(SemanticProfile.K612);
        emulation.mapWritten(3, 1);
        emulation.machine.reclaim(emulation.cpu, 1);
        final long slot = 1; // the first one
        assertThat(emulation.platform.swap().count(slot)).isEqualTo(1);
        final PageTable table = emulation.space.pageTable();
        final Cpu other = emulation.machine.cpu(1);
        other.run(emulation.process);
        final Crew crew = new Crew();

        table.lock(emulation.cpu, table.slot(addr(3)));
        crew.start("reader", () -> {
            assertThat(other.loadLong(addr(3))).isEqualTo(Signal.NONE);
            assertThat(other.value()).isEqualTo(3);
        });
        while (emulation.platform.swap().count(slot) != 2) { // ends when the fault waits for the lock, or times out
            Thread.yield();
        }
        table.unlock(emulation.cpu, table.slot(addr(3)));
        crew.join();

        assertThat(emulation.platform.swap().count(slot)).isZero();
        assertThat(emulation.platform.swap().tryGet(slot))
                .as("nobody refers to it")
                .isFalse();
        other.run(null);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldLeavePagesAloneWithoutSwapOrLockedOrUsedByOthers() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 4);
        emulation.process.madvise(emulation.cpu, addr(0), 4 * PAGE, Advice.PAGEOUT);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        emulation.machine.swapOn(64);
        emulation.process.mlock(emulation.cpu, addr(1), PAGE);
        final long used = emulation.frame(2);
        emulation.frames.get(used);
        final Task other = emulation.machine.newTask("other");
        emulation.platform.pageLock().lock(other, emulation.frame(3));

        emulation.machine.reclaim(emulation.cpu, 100);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.SWAP);
        for (final long page : new long[] {1, 2, 3}) {
            assertThat(emulation.kind(page)).isEqualTo(PteKind.PRESENT);
            assertThat(emulation.isWritable(page)).isTrue();
        }
        emulation.platform.pageLock().unlock(other, emulation.frame(3));
        emulation.platform.allocator().put(used);
        emulation.assertNothingIsLeft();
    }

    /** 3.18, Q8: up to 6.14 such a page is mapped nowhere, and stays; later its device is revoked and it goes. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReclaimExclusivePagesOnlyInLateKernels(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 2);
        final MirrorHandle handle = exclusive(emulation, 0, 2);

        emulation.machine.reclaim(emulation.cpu, 100);

        final boolean reclaimed = profile.exclusiveIsReclaimable();
        assertThat(emulation.kind(1) == PteKind.SWAP).isEqualTo(reclaimed);
        assertThat(emulation.kind(1).isDeviceExclusive()).isEqualTo(!reclaimed);
        assertThat(handle.checkExclusive(emulation.cpu, addr(0), 2).errno())
                .isEqualTo(reclaimed ? Errno.OK : Errno.EPERM);
        assertThat(emulation.load(1)).isEqualTo(1);
        emulation.store(0, 8);
        emulation.assertNothingIsLeft();
    }

    /** R18: make waits for reclaim, or skips the page, and then finds the swap entry. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldBringPagesBackForADevice(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 2);
        emulation.machine.reclaim(emulation.cpu, 100);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.SWAP);

        exclusive(emulation, 0, 2);

        assertThat(emulation.kind(1).isDeviceExclusive()).isTrue();
        assertThat(emulation.load(1)).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    /** MADV_FREE: clean pages are dropped, without swap; one that was written since stays. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldDropFreedPagesThatStayedClean(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2).mapWritten(2, 1);
        emulation.process.madvise(emulation.cpu, addr(0), 2 * PAGE, Advice.FREE);
        emulation.store(1, 7);

        emulation.machine.reclaim(emulation.cpu, 100);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.NONE);
        assertThat(emulation.load(1)).isEqualTo(7);
        assertThat(emulation.load(2)).isEqualTo(2);
        emulation.assertNothingIsLeft();
    }

    /** I22: what a device wrote through a plain mapping is not lost, although the CPU's entry was made clean before. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepWhatADeviceWroteToAFreedPage(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 1);
        final MirrorHandle handle = emulation.open(0);
        emulation.process.madvise(emulation.cpu, addr(0), PAGE, Advice.FREE);
        final byte[] bytes = new byte[(int) PAGE];
        bytes[0] = 77;
        assertThat(handle.write(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(bytes))
                        .errno())
                .isEqualTo(Errno.OK);

        emulation.machine.reclaim(emulation.cpu, 100);

        assertThat(emulation.load(0)).isEqualTo(77);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldShareSlotsWithAChildAndKeepThemApart(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 2);
        emulation.machine.reclaim(emulation.cpu, 100);
        final Process child = emulation.fork();
        assertThat(child.space().swapEntries().value()).isEqualTo(2);
        assertThat(swapInUse(emulation)).isEqualTo(2);
        emulation.assertSound();

        emulation.store(0, 50);

        final Cpu other = emulation.machine.cpu(1);
        other.run(child);
        assertThat(other.loadLong(addr(0))).isEqualTo(Signal.NONE);
        assertThat(other.value()).isZero();
        other.run(null);
        child.exit(emulation.cpu);
        assertThat(swapInUse(emulation)).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    /** Entries shared with a child before: all of them go to one slot. */
    @Test
    void shouldSwapOutWhatSeveralProcessesShare() {
        final Emulation emulation = withSwap(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();

        emulation.machine.reclaim(emulation.cpu, 100);

        assertThat(swapInUse(emulation)).isEqualTo(1);
        assertThat(emulation.platform.swap().count(1)).isEqualTo(2);
        emulation.assertSound();
        child.exit(emulation.cpu);
        emulation.process.munmap(emulation.cpu, addr(0), PAGE);
        assertThat(swapInUse(emulation)).isZero();
        emulation.assertNothingIsLeft();
    }

    /** The swap cache: whoever of a family comes later finds the frame that the first one brought in. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFindTheFrameThatARelativeBroughtIn(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 2);
        final Process child = emulation.fork();
        final Cpu other = emulation.machine.cpu(1);
        other.run(child);
        emulation.machine.reclaim(emulation.cpu, 100);
        assertThat(swapInUse(emulation)).isEqualTo(2);

        assertThat(other.loadLong(addr(1))).isEqualTo(Signal.NONE);
        assertThat(other.value()).isEqualTo(1);
        assertThat(swapInUse(emulation)).as("the parent's entry is left").isEqualTo(2);
        emulation.assertSound();
        assertThat(emulation.load(1)).isEqualTo(1);

        assertThat(swapInUse(emulation)).isEqualTo(1);
        emulation.assertCounts(1, 2, 2);
        assertThat(emulation.isWritable(1)).isFalse();
        final long shared = emulation.frame(1);
        emulation.store(1, 77);
        assertThat(emulation.frame(1)).as("copied").isNotEqualTo(shared);
        assertThat(other.storeLong(addr(1), 88)).isEqualTo(Signal.NONE);
        assertThat(emulation.frames.mapCount(shared)).as("reused").isEqualTo(1);
        assertThat(emulation.load(1)).isEqualTo(77);
        emulation.assertSound();

        emulation.store(0, 99); // of page 0: a frame of its own at once, the slot's is the child's
        assertThat(other.loadLong(addr(0))).isEqualTo(Signal.NONE);
        assertThat(other.value()).isZero();
        assertThat(swapInUse(emulation)).isZero();
        other.run(null);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLetGoOfACachedFrameWithTheLastEntry(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        emulation.machine.reclaim(emulation.cpu, 100);
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.frames.refCount(emulation.frame(0))).isEqualTo(2);

        child.exit(emulation.cpu);

        assertThat(swapInUse(emulation)).isZero();
        final long frame = emulation.frame(0);
        emulation.assertCounts(0, 1, 1);
        emulation.store(0, 5);
        assertThat(emulation.frame(0)).as("nobody else's any more").isEqualTo(frame);
        emulation.assertNothingIsLeft();
    }

    /** do_swap_page: exclusive entries are their process's own at once, others only for a write, if nobody shares them. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldOwnAPageThatNobodyShares(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile);
        emulation.mapWritten(0, 3);
        emulation.machine.reclaim(emulation.cpu, 100);
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.isWritable(0)).isEqualTo(profile.swapInGrantsWrite());
        emulation.fork().exit(emulation.cpu);

        assertThat(emulation.load(1)).isEqualTo(1);
        emulation.store(2, 6);

        assertThat(emulation.isWritable(1)).as("was shared").isFalse();
        assertThat(emulation.isWritable(2)).isTrue();
        final long frame = emulation.frame(1);
        emulation.store(1, 5);
        assertThat(emulation.frame(1)).isEqualTo(frame);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCarrySoftDirtyAndMoveSwapEntries() {
        final Emulation emulation = withSwap(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        emulation.process.clearSoftDirty(emulation.cpu);
        emulation.machine.reclaim(emulation.cpu, 100);
        assertThat(emulation.encoding.isSwapSoftDirty(emulation.pte(0))).isFalse();

        emulation.process.mremap(emulation.cpu, addr(0), PAGE, addr(9), false);

        assertThat(emulation.kind(9)).isEqualTo(PteKind.SWAP);
        assertThat(emulation.encoding.isSwapSoftDirty(emulation.pte(9))).isTrue();
        emulation.protect(9, 1, READ);
        assertThat(emulation.load(9)).isZero();
        assertThat(emulation.isWritable(9)).isFalse();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldBringEverythingBackAtSwapOff() {
        final Emulation emulation = withSwap(SemanticProfile.K615);
        emulation.mapWritten(0, 8);
        emulation.machine.reclaim(emulation.cpu, 100);
        assertThat(emulation.machine.swapOn(8)).isEqualTo(Errno.EBUSY);

        assertThat(emulation.machine.swapOff(emulation.cpu)).isEqualTo(Errno.OK);

        assertThat(emulation.kind(7)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.machine.swapOff(emulation.cpu)).isEqualTo(Errno.EINVAL);
        assertThat(emulation.machine.swapOn(8)).isEqualTo(Errno.OK);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldReportWhereFramesAreMissingForASwappedPage() {
        final Emulation emulation = new Emulation(SemanticProfile.K612, 32, 64);
        emulation.machine.swapOn(32);
        emulation.mapWritten(0, 20);
        emulation.machine.reclaim(emulation.cpu, 100);
        emulation.map(40, 40, READ_WRITE);
        long filled = 40;
        while (emulation.cpu.storeLong(addr(filled), 1) == Signal.NONE) {
            filled++;
        }

        assertThat(emulation.cpu.loadLong(addr(5))).isEqualTo(Signal.OUT_OF_MEMORY);

        emulation.process.munmap(emulation.cpu, addr(40), 40 * PAGE);
        assertThat(emulation.load(5)).isEqualTo(5);
        emulation.assertNothingIsLeft();
    }

    // ---- compaction -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMovePagesToTheLowEnd(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 8).mapWritten(20, 2);
        final long high = emulation.frame(20);
        emulation.process.munmap(emulation.cpu, addr(0), 8 * PAGE);

        assertThat(emulation.machine.compact(emulation.cpu)).isGreaterThanOrEqualTo(2);

        assertThat(emulation.frame(20)).isLessThan(high);
        assertThat(emulation.load(21)).isEqualTo(21);
        assertThat(emulation.isWritable(20)).isTrue();
        assertThat(emulation.machine.compact(emulation.cpu))
                .as("nothing is left to do")
                .isZero();
        emulation.assertNothingIsLeft();
    }

    /** VERSIONS: moved in the late kernels, present and read-only afterwards. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveExclusivePagesOnlyInLateKernels(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 4).mapWritten(20, 1);
        final MirrorHandle handle = exclusive(emulation, 20, 1);
        final long frame = emulation.frame(20);
        emulation.process.munmap(emulation.cpu, addr(0), 4 * PAGE);

        emulation.machine.compact(emulation.cpu);

        final boolean moved = profile.exclusiveIsReclaimable();
        assertThat(emulation.frame(20) != frame).isEqualTo(moved);
        assertThat(emulation.kind(20) == PteKind.PRESENT).isEqualTo(moved);
        assertThat(emulation.isWritable(20)).isFalse();
        assertThat(handle.checkExclusive(emulation.cpu, addr(20), 1).errno()).isEqualTo(moved ? Errno.OK : Errno.EPERM);
        emulation.store(20, 3);
        assertThat(emulation.load(20)).isEqualTo(3);
        emulation.assertNothingIsLeft();
    }

    // ---- same pages -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMergePagesOfEqualContentUntilSomebodyWrites(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.map(0, 4, READ_WRITE);
        for (final long page : new long[] {0, 1, 2}) {
            emulation.store(page, 5);
        }
        emulation.store(3, 6);
        emulation.process.madvise(emulation.cpu, addr(0), 4 * PAGE, Advice.MERGEABLE);
        final SamePageMerger merger = emulation.machine.newSamePageMerger();

        while (merger.scan(emulation.cpu, emulation.machine.spaces()) != 0) {}

        assertThat(emulation.frame(1)).isEqualTo(emulation.frame(0)).isEqualTo(emulation.frame(2));
        assertThat(emulation.frame(3)).isNotEqualTo(emulation.frame(0));
        emulation.assertCounts(0, 3, 3);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(4);
        emulation.assertSound();
        emulation.store(1, 8);
        assertThat(emulation.frame(1)).isNotEqualTo(emulation.frame(0));
        assertThat(emulation.load(0)).isEqualTo(5);
        exclusive(emulation, 0, 1);
        assertThat(emulation.load(2)).isEqualTo(5);
        emulation.store(2, 9); // the last one: still a copy, never reused
        assertThat(emulation.frames.has(emulation.frame(2), FrameTable.KSM)).isFalse();
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldTakeMergedPagesApartWhenToldTo(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.map(0, 2, READ_WRITE);
        emulation.store(0, 5);
        emulation.store(1, 5);
        emulation.process.madvise(emulation.cpu, addr(0), 2 * PAGE, Advice.MERGEABLE);
        emulation.machine.newSamePageMerger().scan(emulation.cpu, emulation.machine.spaces());
        assertThat(emulation.frame(1)).isEqualTo(emulation.frame(0));

        assertThat(emulation.process.madvise(emulation.cpu, addr(0), 2 * PAGE, Advice.UNMERGEABLE))
                .isEqualTo(Errno.OK);

        assertThat(emulation.frame(1)).isNotEqualTo(emulation.frame(0));
        assertThat(emulation.load(1)).isEqualTo(5);
        emulation.assertNothingIsLeft();
    }

    // ---- beside others ----------------------------------------------------------------------------------------------

    /** Who takes a slot while the area is being taken away has it before, and is waited for, or not at all. */
    @Test
    void shouldSwapOutWhileAreasComeAndGo() throws Exception {
        final int rounds = 2_000;
        final int pages = 4;
        final Emulation emulation = withSwap(SemanticProfile.K612);
        emulation.map(0, pages, READ_WRITE);
        final AtomicBoolean stop = new AtomicBoolean();
        final Crew crew = new Crew();
        final Cpu cpu = emulation.machine.cpu(1);
        cpu.run(emulation.process);
        for (int number = 0; number < 2; number++) {
            final Task task = emulation.machine.newTask("kswapd " + number);
            crew.start(task.name(), () -> {
                while (!stop.get()) {
                    emulation.machine.reclaim(task, 1);
                }
            });
        }
        final Task admin = emulation.machine.newTask("admin");
        crew.start("admin", () -> {
            for (int round = 0; round < rounds; round++) {
                assertThat(emulation.machine.swapOff(admin)).isEqualTo(Errno.OK);
                assertThat(emulation.machine.swapOn(64)).isEqualTo(Errno.OK);
            }
            stop.set(true);
        });
        final AtomicLong added = new AtomicLong();
        crew.start("cpu", () -> {
            while (!stop.get()) {
                assertThat(cpu.fetchAddLong(addr(added.getAndIncrement() % pages), 1))
                        .isEqualTo(Signal.NONE);
            }
        });
        crew.join();
        cpu.run(null);

        long sum = 0;
        for (int page = 0; page < pages; page++) {
            sum += emulation.load(page);
        }
        assertThat(sum).isEqualTo(added.get());
        emulation.assertNothingIsLeft();
    }

    /** CPUs count, a device makes pages exclusive, and reclaim, compaction and merging take the pages away all the time. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLoseNothingBesideOthers(final SemanticProfile profile) throws Exception {
        final int rounds = 1_500;
        final int pages = 4;
        final Emulation emulation = withSwap(profile);
        emulation.map(0, pages, READ_WRITE);
        emulation.process.madvise(emulation.cpu, addr(0), pages * PAGE, Advice.MERGEABLE);
        final MirrorHandle handle = emulation.open(0);
        final AtomicBoolean stop = new AtomicBoolean();
        final Crew cpus = new Crew();
        for (int number = 1; number <= 2; number++) {
            final Cpu cpu = emulation.machine.cpu(number);
            cpu.run(emulation.process);
            cpus.start(cpu.name(), () -> {
                for (int round = 0; round < rounds; round++) {
                    assertThat(cpu.fetchAddLong(addr(round % pages), 1)).isEqualTo(Signal.NONE);
                }
            });
        }
        final Crew others = new Crew();
        final Task device = emulation.machine.newTask("device");
        final Task reclaim = emulation.machine.newTask("kswapd");
        final Task compact = emulation.machine.newTask("kcompactd");
        final Task merge = emulation.machine.newTask("ksmd");
        final SamePageMerger merger = emulation.machine.newSamePageMerger();
        others.start("device", () -> {
            while (!stop.get()) {
                handle.exclusive(device, addr(0), pages, DeviceBuffer.ofArray(new byte[pages * (int) PAGE]));
            }
        });
        others.start("kswapd", () -> {
            while (!stop.get()) {
                emulation.machine.reclaim(reclaim, 2);
            }
        });
        others.start("kcompactd", () -> {
            while (!stop.get()) {
                emulation.machine.compact(compact);
            }
        });
        others.start("ksmd", () -> {
            while (!stop.get()) {
                merger.scan(merge, emulation.machine.spaces());
            }
        });
        cpus.join();
        stop.set(true);
        others.join();
        emulation.machine.cpu(1).run(null);
        emulation.machine.cpu(2).run(null);

        long sum = 0;
        for (int page = 0; page < pages; page++) {
            sum += emulation.load(page);
        }
        assertThat(sum).isEqualTo(2L * rounds);
        emulation.assertNothingIsLeft();
    }
}
