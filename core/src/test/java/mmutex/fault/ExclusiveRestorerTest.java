package mmutex.fault;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.memory.FrameTable;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A CPU gets an exclusive page back; under every profile where not said otherwise. */
@HangGuard
class ExclusiveRestorerTest {
    private static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    private Emulation emulation;
    private Task driver;

    private void begin(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        driver = emulation.machine.newTask("driver");
    }

    /** Makes a page exclusive and leaves it locked and referenced, as a driver has it before it unlocks. */
    private long make(final long page) {
        emulation.space.mmapLock().readLock(driver);
        final long pfn;
        if (emulation.platform.profile().makeOnePage()) {
            pfn = ExclusiveMaker.makeOne(driver, emulation.space, addr(page), 7);
        } else {
            final long[] made = new long[1];
            assertThat(ExclusiveMaker.makeRange(driver, emulation.space, addr(page), 1, 7, made))
                    .isEqualTo(1);
            pfn = made[0];
        }
        emulation.space.mmapLock().readUnlock(driver);
        assertThat(pfn).isPositive();
        assertThat(emulation.kind(page).isDeviceExclusive()).isTrue();
        return pfn;
    }

    private void release(final long pfn) {
        emulation.platform.pageLock().unlock(driver, pfn);
        emulation.platform.putPage(pfn);
    }

    private long mappingsOfAnExclusivePage() {
        return emulation.platform.profile().exclusiveKeepsMapcount() ? 1 : 0;
    }

    // ---- the table in the class's Javadoc ---------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestoreAWritablePage(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        final long pfn = make(0);
        release(pfn);
        emulation.assertCounts(0, 1, mappingsOfAnExclusivePage());
        final List<Event> events = emulation.record();
        final long slot = emulation.space.pageTable().slot(BASE);

        emulation.space.mmapLock().readLock(emulation.cpu);
        FaultHandler.handle(emulation.cpu, emulation.space.vmas().lookup(BASE), BASE, 0);
        emulation.space.mmapLock().readUnlock(emulation.cpu);

        final PteEncoding encoding = emulation.encoding;
        final long pte = emulation.space.pageTable().load(slot);
        assertThat(encoding.isPresent(pte)).isTrue();
        assertThat(encoding.frameNumber(pte)).isEqualTo(pfn);
        assertThat(encoding.isWritable(pte)).isTrue();
        assertThat(encoding.isDirty(pte)).isTrue(); // EXCL_W, or the frame is dirty
        assertThat(encoding.isYoung(pte)).isFalse();
        assertThat(events).containsExactly(new Event(profile.restoreEvent(), 0, 1, 0));
        emulation.assertCounts(0, 1, 1);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(emulation.platform.pageLock().isLocked(pfn)).isFalse();
        assertThat(emulation.load(0)).isEqualTo(5);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotMakeReadOnlyMemoryWritable(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        release(make(0));
        emulation.protect(0, 1, READ);
        final PteKind kind = emulation.kind(0);
        assertThat(kind)
                .isEqualTo(
                        profile.mprotectDemotesExclusive() ? PteKind.DEVICE_EXCLUSIVE_READ : PteKind.DEVICE_EXCLUSIVE);

        assertThat(emulation.load(0)).isEqualTo(5);

        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isFalse();
        assertThat(emulation.cpu.storeLong(BASE, 6)).isEqualTo(Signal.SEGV_ACCERR);
        emulation.assertNothingIsLeft();
    }

    /** Up to 6.14 a demoted entry stays so: the first write after the restore costs one more fault, and reuses. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestoreADemotedEntryReadOnly(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        release(make(0));
        emulation.protect(0, 1, READ);
        emulation.protect(0, 1, READ_WRITE);
        final long frame = emulation.frame(0);

        emulation.load(0);
        assertThat(emulation.isWritable(0)).isEqualTo(!profile.mprotectDemotesExclusive());
        final long faults = emulation.cpu.faults();
        final List<Event> events = emulation.record();
        emulation.store(0, 6);

        assertThat(emulation.cpu.faults() - faults).isEqualTo(profile.mprotectDemotesExclusive() ? 1 : 0);
        assertThat(emulation.frame(0)).isEqualTo(frame);
        assertThat(events).isEmpty();
        emulation.assertNothingIsLeft();
    }

    /** The direct combination of the table: EXCL_W in a VMA that is not writable (mprotect has not passed by yet). */
    @Test
    void shouldRestoreAWritableEntryOfAReadOnlyVmaReadOnlyButDirty() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        release(make(0));
        final long entry = emulation.pte(0);
        emulation.protect(0, 1, READ);
        emulation.space.pageTable().store(emulation.space.pageTable().slot(BASE), entry);

        emulation.load(0);

        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isTrue();
    }

    /** [K615]: dirty only if the frame is. */
    @Test
    void shouldRestoreACleanFrameCleanSinceRestoreDecides() {
        begin(SemanticProfile.K615);
        emulation.mapWritten(0, 1);
        final long pfn = make(0);
        emulation.frames.clearBits(pfn, FrameTable.DIRTY);
        release(pfn);

        emulation.load(0);

        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isFalse();
    }

    /** [K615]: a page that two processes could share isn't made writable. */
    @Test
    void shouldNotRestoreASharedFrameWritableSinceRestoreDecides() {
        begin(SemanticProfile.K615);
        emulation.mapWritten(0, 1);
        final long pfn = make(0);
        emulation.frames.clearBits(pfn, FrameTable.ANON_EXCLUSIVE);
        release(pfn);

        emulation.load(0);

        assertThat(emulation.isWritable(0)).isFalse();
    }

    /** Making an entry dirty makes it soft-dirty on x86: a read leaves the page soft-dirty, up to 6.14. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepSoftDirtyAsTheProfileDoes(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        clearSoftDirty();
        release(make(0));
        assertThat(emulation.encoding.isSwapSoftDirty(emulation.pte(0))).isFalse();

        emulation.load(0);

        assertThat(emulation.encoding.isSoftDirty(emulation.pte(0))).isEqualTo(!profile.restoreDecidesWritable());
    }

    /** What clear_refs does: the entry's bit and the VMA's. */
    private void clearSoftDirty() {
        final Vma vma = emulation.space.vmas().lookup(BASE);
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.mmapLock().writeLock(emulation.cpu);
        emulation.space.editor().modify(emulation.cpu, vma, vma.start(), vma.end(), vma.flags() & ~VmFlags.SOFTDIRTY);
        emulation.space.pageTable().store(slot, emulation.encoding.clearSoftDirty(emulation.pte(0)));
        emulation.space.mmapLock().writeUnlock(emulation.cpu);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCarrySoftDirtyThroughMakeAndRestore(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        assertThat(emulation.encoding.isSoftDirty(emulation.pte(0))).isTrue();
        release(make(0));
        assertThat(emulation.encoding.isSwapSoftDirty(emulation.pte(0))).isTrue();

        emulation.load(0);

        assertThat(emulation.encoding.isSoftDirty(emulation.pte(0))).isTrue();
    }

    @Test
    void shouldRestoreUserfaultProtectedPagesReadOnlyAndClean() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        release(make(0));
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, emulation.encoding.mkSwapUffdWp(emulation.pte(0)));

        emulation.load(0);

        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isFalse();
        assertThat(emulation.encoding.isUffdWp(emulation.pte(0))).isTrue();
    }

    // ---- the page lock ----------------------------------------------------------------------------------------------

    /** Starts an access on CPU 1 and returns once it sleeps on the page's lock. */
    private Crew accessAndWait(final long pfn, final AtomicReference<Signal> signal) {
        final Crew crew = new Crew();
        crew.start("cpu1", () -> {
            final Cpu cpu = emulation.machine.cpu(1);
            cpu.run(emulation.process);
            signal.set(cpu.fetchAddLong(BASE, 1));
            cpu.run(null);
        });
        while (!emulation.frames.has(pfn, FrameTable.WAITERS)) {
            Thread.yield();
        }
        return crew;
    }

    /** R3: while the driver programs its table, the first attempt waits without the mmap lock. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldWaitForTheDriver(final SemanticProfile profile) throws InterruptedException {
        begin(profile);
        emulation.mapWritten(0, 1);
        final AtomicReference<Signal> signal = new AtomicReference<>();
        final long pfn = make(0);
        final Crew crew = accessAndWait(pfn, signal);
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
        if (!profile.restoreBlocksOnPageLock()) {
            assertThat(emulation.space.mmapLock().isHeld()).isFalse();
            emulation.space.mmapLock().writeLock(emulation.cpu); // would hang behind a fault that kept it
            emulation.space.vmas().lookup(BASE).lock().writeLock(emulation.cpu, emulation.space.mmapLock());
            emulation.space.mmapLock().writeUnlock(emulation.cpu);
        }
        release(pfn);

        crew.join();
        assertThat(signal).hasValue(Signal.NONE);
        assertThat(emulation.load(0)).isEqualTo(1);
        final Cpu waiter = emulation.machine.cpu(1);
        // The per-VMA-lock attempt doesn't count, so where there is one, the retried fault is minor.
        final boolean major = profile.retriedFaultIsMajor() && !profile.restoreBlocksOnPageLock();
        assertThat(waiter.majorFaults()).isEqualTo(major ? 1 : 0);
        assertThat(waiter.minorFaults()).isEqualTo(major ? 0 : 1);
        emulation.assertNothingIsLeft();
    }

    /** The second attempt blocks with the mmap lock held: with TRIED set, here as from a fault that was retried. */
    @Test
    void shouldBlockInTheSecondAttempt() throws InterruptedException {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        final long pfn = make(0);
        final Crew crew = new Crew();
        final Task task = emulation.machine.newTask("fault");
        crew.start("fault", () -> {
            emulation.space.mmapLock().readLock(task);
            final int flags = FaultFlags.ALLOW_RETRY | FaultFlags.TRIED | FaultFlags.KILLABLE;
            assertThat(FaultHandler.handle(task, emulation.space.vmas().lookup(BASE), BASE, flags))
                    .isZero();
            assertThat(emulation.space.mmapLock().isHeld()).isTrue();
            emulation.space.mmapLock().readUnlock(task);
        });
        while (!emulation.frames.has(pfn, FrameTable.WAITERS)) {
            Thread.yield();
        }
        assertThat(emulation.space.mmapLock().isHeld()).isTrue();
        release(pfn);

        crew.join();
        assertThat(emulation.encoding.isPresent(emulation.pte(0))).isTrue();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLetASignalEndTheWait(final SemanticProfile profile) throws InterruptedException {
        begin(profile);
        if (profile.restoreBlocksOnPageLock()) {
            return; // V3 waits uninterruptibly
        }
        emulation.mapWritten(0, 1);
        final AtomicReference<Signal> signal = new AtomicReference<>();
        final long pfn = make(0);
        final Crew crew = accessAndWait(pfn, signal);
        emulation.machine.cpu(1).kill();

        crew.join();
        assertThat(signal).hasValue(Signal.KILLED);
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
        assertThat(emulation.frames.refCount(pfn)).isEqualTo(2); // entry and driver
        release(pfn);
        emulation.assertNothingIsLeft();
    }

    /** R2: the page is discarded while the fault waits; the frame lives until the fault has let go, then is free. */
    @Test
    void shouldFindThePageGoneAfterTheWait() throws InterruptedException {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        final AtomicReference<Signal> signal = new AtomicReference<>();
        final long pfn = make(0);
        final Crew crew = accessAndWait(pfn, signal);
        emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.DONTNEED);
        assertThat(emulation.frames.refCount(pfn)).isEqualTo(2); // driver and fault
        release(pfn);

        crew.join();
        assertThat(signal).hasValue(Signal.NONE);
        assertThat(emulation.load(0)).isEqualTo(1); // a fresh page, incremented
        emulation.assertNothingIsLeft();
    }

    /** R1: several CPUs fault on one entry; it is restored once. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestoreOnceWhenCpusRace(final SemanticProfile profile) throws InterruptedException {
        begin(profile);
        emulation.mapWritten(0, 1);
        for (int round = 0; round < 60; round++) {
            final long pfn = make(0);
            final AtomicReference<Signal> signal = new AtomicReference<>();
            final Crew crew = new Crew();
            for (int number = 1; number <= 2; number++) {
                final Cpu cpu = emulation.machine.cpu(number);
                crew.start("cpu" + number, () -> {
                    cpu.run(emulation.process);
                    signal.set(cpu.fetchAddLong(BASE, 1));
                    cpu.run(null);
                });
            }
            release(pfn);
            crew.join();
            emulation.assertCounts(0, 1, 1);
            assertThat(emulation.load(0)).isEqualTo(2 * (round + 1));
        }
        emulation.assertNothingIsLeft();
    }
}
