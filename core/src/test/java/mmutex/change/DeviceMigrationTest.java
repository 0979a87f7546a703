package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import mmutex.change.DeviceMigration.Selection;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The three steps, by themselves: what each entry becomes, what is counted, and that every failure leaves things alone. */
@HangGuard
class DeviceMigrationTest {
    private static final long OWNER = 7;
    private static final int PAGES_MAX = 8;

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    private final DeviceMigration migration = new DeviceMigration(PAGES_MAX);
    private Emulation emulation;
    private PteEncoding encoding;
    private FrameTable frames;
    private Task driver;
    private Task other;
    private DeviceMemory memory;

    private void begin(final SemanticProfile profile) {
        begin(new Emulation(profile));
    }

    private void begin(final Emulation newEmulation) {
        emulation = newEmulation;
        encoding = emulation.encoding;
        frames = emulation.frames;
        driver = emulation.machine.newTask("driver");
        other = emulation.machine.newTask("other");
        memory = emulation.platform.newDeviceMemory(OWNER, this::toRam);
        memory.grow(64);
    }

    private int toRam(final Task task, final Vma vma, final long addr, final long pfn) {
        final DeviceMigration back = new DeviceMigration(1);
        back.setup(task, vma, addr, addr + PAGE, OWNER, Selection.DEVICE_PRIVATE, pfn);
        copy(task, back, emulation.platform.allocator()::allocate);
        back.commit(task);
        back.finish(task);
        return FaultResult.DONE;
    }

    /** What drivers do between setup and commit. */
    private void copy(final Task task, final DeviceMigration moving, final LongSupplier allocator) {
        for (int i = 0; i < moving.pages(); i++) {
            if (moving.isMigrating(i)) {
                final long to = allocator.getAsLong();
                if (to == FrameAllocator.NONE) {
                    continue;
                }
                emulation.platform.pageLock().lock(task, to);
                if (moving.source(i) == FrameAllocator.NONE) {
                    emulation.platform.data().clear(to);
                } else {
                    emulation.platform.data().copyFrame(moving.source(i), to);
                }
                moving.destination(i, to);
            }
        }
    }

    private Errno setup(final long first, final long count, final Selection selection) {
        return migration.setup(
                driver, emulation.space.vmas().lookup(addr(first)), addr(first), addr(first + count), OWNER, selection);
    }

    private void toDevice(final long first, final long count) {
        emulation.space.mmapLock().readLock(driver);
        assertThat(setup(first, count, Selection.SYSTEM)).isEqualTo(Errno.OK);
        copy(driver, migration, () -> memory.allocate(1));
        migration.commit(driver);
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
    }

    private void toSystem(final long first, final long count) {
        emulation.space.mmapLock().readLock(driver);
        assertThat(setup(first, count, Selection.DEVICE_PRIVATE)).isEqualTo(Errno.OK);
        copy(driver, migration, emulation.platform.allocator()::allocate);
        migration.commit(driver);
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
    }

    /** Everything is unlocked and counted; nothing is left at the end, in the device neither. */
    private void assertNothingIsLeft() {
        emulation.assertNothingIsLeft();
        assertThat(memory.inUse()).isZero();
    }

    private PteKind kind(final Process of, final long page) {
        return encoding.kind(emulation.pte(of, page));
    }

    private PteKind readExclusive() {
        return emulation.platform.profile().hasAnonExclusive()
                ? PteKind.MIGRATION_READ_EXCLUSIVE
                : PteKind.MIGRATION_READ;
    }

    // ---- what becomes of a page -------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveAWritablePageStepByStep(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 2);
        final long from = emulation.frame(0);
        final List<Event> events = emulation.record();

        emulation.space.mmapLock().readLock(driver);
        assertThat(setup(0, 1, Selection.SYSTEM)).isEqualTo(Errno.OK);

        // Collected: a migration entry, the one reference is ours, dirty has gone to the frame.
        assertThat(emulation.kind(0)).isEqualTo(PteKind.MIGRATION_WRITE);
        emulation.assertCounts(0, 1, 0);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(2);
        assertThat(frames.has(from, FrameTable.DIRTY | FrameTable.LOCKED)).isTrue();
        assertThat(frames.has(from, FrameTable.ANON_EXCLUSIVE)).isFalse();
        assertThat(migration.isMigrating(0)).isTrue();
        assertThat(migration.isWritable(0)).isTrue();
        assertThat(migration.source(0)).isEqualTo(from);
        assertThat(events).containsExactly(new Event(NotifierEvent.MIGRATE, 0, 1, OWNER));

        copy(driver, migration, () -> memory.allocate(1));
        final long to = migration.destination(0);
        migration.commit(driver);
        assertThat(migration.isMigrating(0)).isTrue();
        assertThat(emulation.kind(0)).isEqualTo(PteKind.MIGRATION_WRITE);

        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(emulation.frame(0)).isEqualTo(to);
        emulation.assertCounts(0, 1, 1);
        assertThat(frames.has(to, FrameTable.ANON_EXCLUSIVE)).isEqualTo(profile.hasAnonExclusive());
        assertThat(frames.has(to, FrameTable.LOCKED)).isFalse();
        assertThat(frames.refCount(from)).isZero();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(2);
        assertThat(memory.inUse()).isEqualTo(1);
        assertThat(events).hasSize(1); // neither commit nor finish changes what anybody may access
        emulation.assertSound();
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldBringBackAWritablePageCleanAndOld(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 42);
        toDevice(0, 1);
        final long device = emulation.frame(0);

        toSystem(0, 1);

        final long pte = emulation.pte(0);
        assertThat(encoding.isPresent(pte)).isTrue();
        assertThat(encoding.isWritable(pte)).isTrue();
        assertThat(encoding.isDirty(pte)).isFalse();
        assertThat(encoding.isYoung(pte)).isFalse();
        assertThat(encoding.isSoftDirty(pte)).isTrue();
        assertThat(frames.has(emulation.frame(0), FrameTable.DIRTY))
                .isTrue(); // of the page, it goes where the page goes
        assertThat(emulation.frame(0)).isNotEqualTo(device);
        emulation.assertCounts(0, 1, 1);
        assertThat(memory.inUse()).isZero();
        assertThat(emulation.load(0)).isEqualTo(42);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveAReadOnlyPageAndKeepItsOwner(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.protect(0, 1, READ);
        emulation.space.mmapLock().readLock(driver);
        setup(0, 1, Selection.SYSTEM);
        assertThat(emulation.kind(0)).isEqualTo(readExclusive());
        assertThat(migration.isWritable(0)).isFalse();
        copy(driver, migration, () -> memory.allocate(1));
        migration.commit(driver);
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertThat(frames.has(emulation.frame(0), FrameTable.ANON_EXCLUSIVE)).isEqualTo(profile.hasAnonExclusive());
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.isWritable(0)).isFalse();
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveAPageThatTwoProcessesShare(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        final Process child = emulation.fork();
        final List<Event> events = emulation.record();

        toDevice(0, 1);

        // The child's entry is found through the reverse map. The event is sent until no mapping is left.
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertThat(kind(child, 0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertThat(emulation.frame(child, 0)).isEqualTo(emulation.frame(0));
        emulation.assertCounts(0, 2, 2);
        assertThat(frames.has(emulation.frame(0), FrameTable.ANON_EXCLUSIVE)).isFalse();
        assertThat(child.rssAnonPages()).isEqualTo(1);
        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.MIGRATE, 0, 1, OWNER), new Event(NotifierEvent.CLEAR, 0, 1, 0));
        emulation.assertSound();

        assertThat(emulation.load(0)).isEqualTo(5); // brings it back for both
        assertThat(kind(child, 0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.frame(child, 0)).isEqualTo(emulation.frame(0));
        emulation.store(0, 6);
        assertThat(emulation.frame(child, 0)).isNotEqualTo(emulation.frame(0));
        child.exit(emulation.cpu);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPopulateWhatWasNeverTouched(final SemanticProfile profile) {
        begin(profile);
        emulation.map(0, 4, READ_WRITE);
        emulation.load(1);
        emulation.store(3, 9);
        final List<Event> events = emulation.record();

        toDevice(0, 4);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE); // was the zero page
        assertThat(emulation.kind(2)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        for (int page = 0; page < 4; page++) {
            emulation.assertCounts(page, 1, 1);
        }
        assertThat(encoding.isSwapSoftDirty(emulation.pte(0))).isFalse();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(4);
        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.MIGRATE, 0, 4, OWNER), new Event(NotifierEvent.MIGRATE, 0, 4, OWNER));
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.load(1)).isZero();
        assertThat(emulation.load(3)).isEqualTo(9);
        assertNothingIsLeft();
    }

    @Test
    void shouldBeginTheSecondSpanAtTheFirstPageWithoutASource() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 2);
        emulation.map(2, 2, READ_WRITE);
        final List<Event> events = emulation.record();

        toDevice(0, 4);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.MIGRATE, 0, 4, OWNER), new Event(NotifierEvent.MIGRATE, 2, 4, OWNER));
        assertNothingIsLeft();
    }

    @Test
    void shouldPopulateReadOnlyMemoryReadOnly() {
        begin(SemanticProfile.K612);
        emulation.map(0, 1, READ);

        toDevice(0, 1);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertNothingIsLeft();
    }

    @Test
    void shouldMigrateAHoleOnlyToADevice() {
        begin(SemanticProfile.K612);
        emulation.map(0, 2, READ_WRITE);
        emulation.load(1);

        emulation.space.mmapLock().readLock(driver);
        setup(0, 2, Selection.DEVICE_PRIVATE);

        assertThat(migration.isMigrating(0)).isTrue(); // no driver has a page for it on the way back
        assertThat(migration.source(0)).isEqualTo(FrameAllocator.NONE);
        assertThat(migration.isMigrating(1)).isFalse();
        migration.commit(driver);
        assertThat(migration.isMigrating(0)).isFalse();
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.NONE);
        assertNothingIsLeft();
    }

    // ---- soft-dirty, uffd-wp, young and dirty -----------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPutAPageBackAsItWas(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 3);
        final long slot = emulation.space.pageTable().slot(addr(0));
        final long dirty = emulation.pte(0);
        final long old = encoding.clearSoftDirty(encoding.mkOld(encoding.mkClean(emulation.pte(1))));
        final long protectedPte = encoding.mkUffdWp(emulation.pte(2));
        emulation.space.pageTable().store(slot + 8, old);
        emulation.space.pageTable().store(slot + 16, protectedPte);

        emulation.space.mmapLock().readLock(driver);
        setup(0, 3, Selection.SYSTEM);
        assertThat(emulation.kind(2)).isEqualTo(readExclusive());
        assertThat(encoding.isSwapUffdWp(emulation.pte(2))).isTrue();
        migration.commit(driver); // no destinations: nothing moves
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);

        assertThat(emulation.pte(0)).isEqualTo(dirty);
        assertThat(emulation.pte(1)).isEqualTo(old);
        assertThat(emulation.pte(2)).isEqualTo(protectedPte);
        for (int page = 0; page < 3; page++) {
            emulation.assertCounts(page, 1, 1);
            assertThat(frames.has(emulation.frame(page), FrameTable.ANON_EXCLUSIVE))
                    .isEqualTo(profile.hasAnonExclusive());
        }
        emulation.space.pageTable().store(slot + 16, encoding.clearUffdWp(protectedPte));
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCarryTheFlagsToTheDeviceAndBack(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 2);
        final long slot = emulation.space.pageTable().slot(addr(0));
        emulation.space.pageTable().store(slot, encoding.clearSoftDirty(emulation.pte(0)));
        emulation.space.pageTable().store(slot + 8, encoding.mkUffdWp(emulation.pte(1)));

        toDevice(0, 2);
        assertThat(encoding.isSwapSoftDirty(emulation.pte(0))).isFalse();
        assertThat(encoding.isSwapUffdWp(emulation.pte(0))).isFalse();
        assertThat(encoding.isSwapSoftDirty(emulation.pte(1))).isTrue();
        assertThat(encoding.isSwapUffdWp(emulation.pte(1))).isTrue();

        toSystem(0, 2);
        assertThat(encoding.isSoftDirty(emulation.pte(0))).isFalse();
        assertThat(encoding.isUffdWp(emulation.pte(0))).isFalse();
        assertThat(encoding.isSoftDirty(emulation.pte(1))).isTrue();
        assertThat(encoding.isUffdWp(emulation.pte(1))).isTrue();
        assertThat(emulation.isWritable(1)).isFalse();
        emulation.space.pageTable().store(slot + 8, encoding.clearUffdWp(emulation.pte(1)));
        assertNothingIsLeft();
    }

    /** Q18: the way back restores a writable entry, and hardware's dirty bit is not soft-dirty. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotMakeAWriteAfterwardsSoftDirty(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation
                .space
                .pageTable()
                .store(emulation.space.pageTable().slot(addr(0)), encoding.clearSoftDirty(emulation.pte(0)));
        toDevice(0, 1);

        emulation.store(0, 1);

        assertThat(encoding.isDirty(emulation.pte(0))).isTrue();
        assertThat(encoding.isSoftDirty(emulation.pte(0))).isFalse();
        assertNothingIsLeft();
    }

    // ---- what is passed over ----------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPassOverExclusivePages(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 2);
        emulation.space.mmapLock().readLock(driver);
        final long[] made = new long[1];
        if (profile.makeOnePage()) {
            made[0] = ExclusiveMaker.makeOne(driver, emulation.space, addr(0), OWNER);
        } else {
            ExclusiveMaker.makeRange(driver, emulation.space, addr(0), 1, OWNER, made);
        }
        emulation.platform.pageLock().unlock(driver, made[0]);
        emulation.platform.putPage(made[0]);
        emulation.space.mmapLock().readUnlock(driver);
        final long entry = emulation.pte(0);

        toDevice(0, 2);

        assertThat(emulation.pte(0)).isEqualTo(entry);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        assertNothingIsLeft();
    }

    @Test
    void shouldPassOverPagesOfOtherOwners() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        toDevice(0, 1);
        final long entry = emulation.pte(0);
        emulation.space.mmapLock().readLock(driver);

        migration.setup(
                driver, emulation.space.vmas().lookup(addr(0)), addr(0), addr(1), OWNER + 1, Selection.DEVICE_PRIVATE);

        assertThat(migration.isMigrating(0)).isFalse();
        assertThat(emulation.pte(0)).isEqualTo(entry);
        migration.commit(driver);
        migration.finish(driver);
        setup(0, 1, Selection.SYSTEM); // nor are a device's pages ordinary memory
        assertThat(migration.isMigrating(0)).isFalse();
        migration.commit(driver);
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
        assertNothingIsLeft();
    }

    @Test
    void shouldPassOverOrdinaryPagesOnTheWayBack() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 1);
        final long pte = emulation.pte(0);

        toSystem(0, 1);

        assertThat(emulation.pte(0)).isEqualTo(pte);
        assertNothingIsLeft();
    }

    @Test
    void shouldRefuseWhatHasNoPagesOfItsOwn() {
        begin(SemanticProfile.K612);
        emulation.map(0, 1, READ_WRITE);
        final Vma vma = emulation.space.vmas().lookup(addr(0));
        emulation.space.mmapLock().writeLock(driver);
        final Vma special =
                emulation.space.editor().modify(driver, vma, addr(0), addr(1), vma.flags() | VmFlags.PFNMAP);
        assertThat(migration.setup(driver, special, addr(0), addr(1), OWNER, Selection.SYSTEM))
                .isEqualTo(Errno.EINVAL);
        emulation.space.mmapLock().writeUnlock(driver);
    }

    // ---- failures ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeaveAPageThatSomebodyElseHasLocked(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 2);
        final long pte = emulation.pte(0);
        emulation.platform.pageLock().lock(other, emulation.frame(0));

        toDevice(0, 2);

        assertThat(emulation.pte(0)).isEqualTo(pte);
        emulation.assertCounts(0, 1, 1);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        emulation.platform.pageLock().unlock(other, emulation.frame(0));
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeaveAPageThatSomebodyElseRefersTo(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 2);
        final long pfn = emulation.frame(0);
        final long pte = emulation.pte(0);
        frames.get(pfn);

        toDevice(0, 2);

        assertThat(emulation.pte(0)).isEqualTo(pte);
        emulation.assertCounts(0, 2, 1);
        assertThat(frames.has(pfn, FrameTable.ANON_EXCLUSIVE)).isEqualTo(profile.hasAnonExclusive());
        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        emulation.platform.putPage(pfn);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotCommitAPageThatSomebodyTookAReferenceOn(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        final long pfn = emulation.frame(0);
        final long pte = emulation.pte(0);
        emulation.space.mmapLock().readLock(driver);
        setup(0, 1, Selection.SYSTEM);
        copy(driver, migration, () -> memory.allocate(1));
        assertThat(frames.tryGet(pfn)).isTrue();

        migration.commit(driver);
        assertThat(migration.isMigrating(0)).isFalse();
        migration.finish(driver);

        emulation.space.mmapLock().readUnlock(driver);
        assertThat(emulation.pte(0)).isEqualTo(pte);
        assertThat(memory.inUse()).isZero();
        emulation.platform.putPage(pfn);
        assertNothingIsLeft();
    }

    @Test
    void shouldMoveWhatFitsIntoTheDevice() {
        begin(SemanticProfile.K612);
        memory.remove();
        memory.grow(2);
        emulation.mapWritten(0, 4);

        toDevice(0, 4);

        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(emulation.kind(2)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.isWritable(3)).isTrue();
        assertThat(memory.inUse()).isEqualTo(2);
        toSystem(0, 1);
        toDevice(3, 1);
        assertThat(emulation.kind(3)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        assertNothingIsLeft();
    }

    @Test
    void shouldRunOutOfTheMachinesMemoryOnBothSides() {
        begin(new Emulation(SemanticProfile.K612, 16, 128));
        emulation.mapWritten(0, 8); // 14 frames there are; 6 are left
        toDevice(0, 8);
        for (int page = 0; page < 8; page++) {
            assertThat(emulation.kind(page)).isEqualTo(page < 6 ? PteKind.DEVICE_PRIVATE_WRITE : PteKind.PRESENT);
        }
        emulation.map(8, 6, READ_WRITE);
        for (int page = 8; page < 14; page++) {
            emulation.store(page, page); // what the migration freed
        }

        toSystem(0, 1); // no frame for it

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        emulation.assertCounts(0, 1, 1);
        emulation.assertSound();
        assertNothingIsLeft();
    }

    @Test
    void shouldGiveUpAHoleThatSomebodyElseFilled() {
        begin(SemanticProfile.K612);
        emulation.map(0, 1, READ_WRITE);
        emulation.space.mmapLock().readLock(driver);
        setup(0, 1, Selection.SYSTEM);
        copy(driver, migration, () -> memory.allocate(1));
        emulation.store(0, 3);

        migration.commit(driver);
        assertThat(migration.isMigrating(0)).isFalse();
        migration.finish(driver);

        emulation.space.mmapLock().readUnlock(driver);
        assertThat(emulation.load(0)).isEqualTo(3);
        assertThat(memory.inUse()).isZero();
        assertNothingIsLeft();
    }

    /** V3: fork copies exclusive entries, so a page can be mapped here and exclusive there. */
    @Test
    void shouldTakeAnExclusiveEntryForAMigrationEntryWhereTheKernelDoes() {
        begin(SemanticProfile.V3);
        emulation.mapWritten(0, 1);
        final long[] made = new long[1];
        emulation.space.mmapLock().readLock(driver);
        ExclusiveMaker.makeRange(driver, emulation.space, addr(0), 1, OWNER, made);
        emulation.platform.pageLock().unlock(driver, made[0]);
        emulation.platform.putPage(made[0]);
        emulation.space.mmapLock().readUnlock(driver);
        final Process child = emulation.fork();
        emulation.load(0);
        assertThat(kind(child, 0)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);

        toDevice(0, 1); // the child's reference keeps the page; putting it back finds the child's entry

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(kind(child, 0)).isEqualTo(PteKind.PRESENT);
        emulation.assertCounts(0, 2, 2);
        assertThat(emulation.isWritable(0)).isFalse();
        child.exit(emulation.cpu);
        assertNothingIsLeft();
    }

    // ---- pages on the move ------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeFaultsWaitUntilThePageHasArrived(final SemanticProfile profile) throws InterruptedException {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 11);
        emulation.space.mmapLock().readLock(driver);
        setup(0, 1, Selection.SYSTEM);
        final Crew crew = new Crew();
        crew.start("cpu1", () -> {
            emulation.machine.cpu(1).run(emulation.process);
            emulation.machine.cpu(1).fetchAddLong(addr(0), 1);
            assertThat(emulation.machine.cpu(1).value()).isEqualTo(11);
            emulation.machine.cpu(1).run(null);
        });
        while (!frames.has(migration.source(0), FrameTable.WAITERS)) {
            Thread.yield();
        }
        assertThat(frames.refCount(migration.source(0))).isEqualTo(1); // the waiter has none

        copy(driver, migration, () -> memory.allocate(1));
        migration.commit(driver);
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
        crew.join();

        assertThat(emulation.load(0)).isEqualTo(12);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldForgetAnEntryThatIsDiscardedMeanwhile(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.space.mmapLock().readLock(driver);
        setup(0, 1, Selection.SYSTEM);
        copy(driver, migration, () -> memory.allocate(1));

        emulation.process.madvise(emulation.cpu, addr(0), PAGE, Advisor.Advice.DONTNEED);
        assertThat(emulation.process.rssAnonPages()).isZero();

        migration.commit(driver);
        migration.finish(driver);
        emulation.space.mmapLock().readUnlock(driver);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.NONE);
        assertThat(memory.inUse()).isZero();
        assertThat(emulation.load(0)).isZero();
        assertNothingIsLeft();
    }

    /** fork needs the mmap lock, so it meets only entries of migrations that don't: those of device frames. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLetForkCopyAMigrationEntry(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 8);
        toDevice(0, 1);
        final long device = emulation.frame(0);
        migration.setup(driver, memory, emulation.platform, new long[] {device}, 1);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.MIGRATION_WRITE);

        final Process child = emulation.fork();
        assertThat(emulation.kind(0)).isEqualTo(PteKind.MIGRATION_READ);
        assertThat(kind(child, 0)).isEqualTo(PteKind.MIGRATION_READ);
        assertThat(child.rssAnonPages()).isEqualTo(1);
        assertThat(frames.refCount(device)).isEqualTo(1);

        copy(driver, migration, emulation.platform.allocator()::allocate);
        migration.commit(driver);
        migration.finish(driver);
        emulation.assertCounts(0, 2, 2);
        assertThat(emulation.frame(child, 0)).isEqualTo(emulation.frame(0));
        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.load(0)).isEqualTo(8);
        child.exit(emulation.cpu);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLetMprotectDemoteAMigrationEntry(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        toDevice(0, 1);
        migration.setup(driver, memory, emulation.platform, new long[] {emulation.frame(0)}, 1);

        emulation.protect(0, 1, READ);
        assertThat(emulation.kind(0)).isEqualTo(readExclusive());
        assertThat(encoding.isSwapSoftDirty(emulation.pte(0))).isTrue();

        migration.commit(driver);
        migration.finish(driver);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLetExitTakeThePageAway(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        toDevice(0, 1);
        final long device = emulation.frame(0);
        migration.setup(driver, memory, emulation.platform, new long[] {device}, 1);
        copy(driver, migration, emulation.platform.allocator()::allocate);
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);

        migration.commit(driver);
        migration.finish(driver);

        assertThat(memory.inUse()).isZero();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.platform.tables().inUse()).isZero();
    }

    @Test
    void shouldPassOverDeviceFramesThatAreFreeLockedOrNotOurs() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 3);
        toDevice(0, 2);
        final long locked = emulation.frame(0);
        final long gone = emulation.frame(1);
        final long ordinary = emulation.frame(2);
        emulation.load(1);
        emulation.platform.pageLock().lock(other, locked);

        migration.setup(driver, memory, emulation.platform, new long[] {locked, gone, ordinary}, 3);

        for (int i = 0; i < 3; i++) {
            assertThat(migration.isMigrating(i)).isFalse();
            assertThat(migration.source(i)).isEqualTo(FrameAllocator.NONE);
        }
        migration.commit(driver);
        migration.finish(driver);
        emulation.platform.pageLock().unlock(other, locked);
        emulation.assertSound();
        assertNothingIsLeft();
    }

    // ---- device-private entries -------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldShareADevicePageOnFork(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        toDevice(0, 1);

        final Process child = emulation.fork();

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertThat(kind(child, 0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        assertThat(encoding.isSwapSoftDirty(emulation.pte(0))).isFalse(); // not preserved
        emulation.assertCounts(0, 2, 2);
        assertThat(frames.has(emulation.frame(0), FrameTable.ANON_EXCLUSIVE)).isFalse();
        assertThat(child.rssAnonPages()).isEqualTo(1);
        emulation.assertSound();
        child.exit(emulation.cpu);
        emulation.assertCounts(0, 1, 1);
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeADevicePageReadOnlyForGood(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        toDevice(0, 1);

        emulation.protect(0, 1, READ);
        emulation.protect(0, 1, READ_WRITE);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_READ);
        final long faults = emulation.cpu.faults();
        emulation.store(0, 1);
        // One to bring it back, read-only; one to find that nobody else has it.
        assertThat(emulation.cpu.faults() - faults).isEqualTo(2);
        emulation.assertCounts(0, 1, 1);
        assertNothingIsLeft();
    }

    @Test
    void shouldGiveADevicePageBackWhenItIsDiscarded() {
        begin(SemanticProfile.K612);
        emulation.mapWritten(0, 2);
        toDevice(0, 2);

        emulation.process.madvise(emulation.cpu, addr(0), PAGE, Advisor.Advice.DONTNEED);
        assertThat(memory.inUse()).isEqualTo(1);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(emulation.process.munmap(emulation.cpu, addr(1), PAGE)).isEqualTo(Errno.OK);

        assertThat(memory.inUse()).isZero();
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldWaitForOthersWhoUseTheDevicePage(final SemanticProfile profile) throws InterruptedException {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.store(0, 4);
        toDevice(0, 1);
        final long device = emulation.frame(0);
        frames.get(device); // as another fault on it would have
        final Crew crew = new Crew();
        crew.start("cpu1", () -> {
            emulation.machine.cpu(1).run(emulation.process);
            emulation.machine.cpu(1).loadLong(addr(0));
            assertThat(emulation.machine.cpu(1).value()).isEqualTo(4);
            emulation.machine.cpu(1).run(null);
        });
        while (emulation.machine.cpu(1).faults() == 0) {
            Thread.yield();
        }
        emulation.platform.putPage(device);
        crew.join();

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertNothingIsLeft();
    }

    @Test
    void shouldDemandAnOwner() {
        begin(SemanticProfile.K612);
        assertThatThrownBy(() -> emulation.platform.newDeviceMemory(0, this::toRam))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("memory of a device needs an owner: owner=0");
    }
}
