package mmutex.check;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.machine.Emulation;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.EntryEvents;
import mmutex.mm.PageTable;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.sync.LockClass;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The instrumented invariants, told by hand of changes and locks that no correct kernel would make. */
class WatchTest {
    private final Emulation emulation = new Emulation(SemanticProfile.K612, 1 << 11, 256); // room for a large folio
    private final PteEncoding encoding = emulation.encoding;
    private final PageTable table = emulation.space.pageTable();
    private final Watch watch = new Watch(emulation.platform);
    private final Task actor = emulation.machine.newTask("actor");
    private long slot;
    private long present;
    private long pfn;

    @BeforeEach
    void setUp() {
        emulation.mapWritten(0, 1);
        slot = table.slot(BASE);
        present = emulation.pte(0);
        pfn = emulation.frame(0);
        table.lock(actor, slot);
    }

    private List<String> found() {
        final CheckReport report = new CheckReport();
        watch.addTo(report);
        assertThat(report.checkedInvariants()).containsExactlyInAnyOrder("I15", "I16", "I19", "I22", "I32");
        return report.violations().stream()
                .map(violation -> violation.substring(0, violation.indexOf(':')))
                .distinct()
                .toList();
    }

    /** What make and restore do, the actor holding the page lock. */
    private void convert(final long from, final long to) {
        if (encoding.isPresent(from)) {
            watch.changed(table, slot, from, encoding.empty());
            watch.changed(table, slot, encoding.empty(), to);
        } else {
            watch.changed(table, slot, from, to);
        }
    }

    private void lockPage() {
        emulation.platform.pageLock().lock(actor, pfn);
        emulation.frames.markDirty(pfn);
    }

    private long exclusive() {
        return encoding.makeExclusive(present);
    }

    @Test
    void shouldNeedTheSeam() {
        assertThatThrownBy(watch::install).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> EntryEvents.install(null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("entry events are off: start the VM with -Dmmutex.schedule=true");
    }

    @Test
    void shouldFindNothingWrongInAConversionAndItsUndoing() {
        lockPage();
        convert(present, exclusive());
        convert(exclusive(), present);

        assertThat(found()).isEmpty();
        assertThat(watch.conversions()).isEqualTo(1);
        assertThat(watch.restores()).isEqualTo(1);
    }

    /** Of a large folio the head is locked and dirty, whichever page is converted. */
    @Test
    void shouldLookForLockAndDirtyBitOfAFolioAtItsHead() {
        final long folio = emulation.platform.allocator().allocateCompound();
        final long page = encoding.mkDirty(encoding.present(folio + 5, READ_WRITE));
        emulation.frames.setBits(folio + 5, FrameTable.ANON);
        emulation.platform.pageLock().lock(actor, folio);
        convert(page, encoding.makeExclusive(page));
        assertThat(found()).containsExactly("I22");
        emulation.frames.markDirty(folio);
        convert(encoding.makeExclusive(page), page);
        convert(page, encoding.makeExclusive(page));
        assertThat(found()).containsExactly("I22");
    }

    @Test
    void shouldReportAConversionWithoutThePageLock() {
        emulation.frames.markDirty(pfn);
        convert(present, exclusive());
        assertThat(found()).containsExactly("I15");
    }

    @Test
    void shouldReportARestoreUnderSomebodyElsesPageLock() {
        emulation.platform.pageLock().lock(emulation.cpu, pfn);
        convert(exclusive(), present);
        assertThat(found()).containsExactly("I15");
    }

    /** Cleared by a move and put elsewhere: no conversion, so no page lock is needed. */
    @Test
    void shouldForgetWhatWasClearedWhenTheTableIsUnlocked() {
        watch.changed(table, slot, present, encoding.empty());
        watch.released(actor, LockClass.PT, 0, false);
        watch.changed(table, slot, encoding.empty(), exclusive());
        assertThat(found()).isEmpty();
    }

    @Test
    void shouldReportExclusiveEntriesOfZeroFileAndFreeFrames() {
        watch.changed(
                table,
                slot,
                encoding.empty(),
                encoding.frameEntry(PteKind.DEVICE_EXCLUSIVE_WRITE, FrameAllocator.ZERO_FRAME));
        assertThat(found()).contains("I16");
        emulation.frames.clearBits(pfn, FrameTable.ANON);
        watch.changed(table, slot, encoding.empty(), exclusive());
        assertThat(found()).contains("I16");
        final long free = emulation.platform.allocator().allocate();
        emulation.platform.putPage(free);
        watch.changed(table, slot, encoding.empty(), encoding.frameEntry(PteKind.DEVICE_EXCLUSIVE_WRITE, free));
        assertThat(found()).contains("I14");
    }

    @Test
    void shouldReportALostSoftDirtyBit() {
        lockPage();
        convert(present, encoding.clearSwapSoftDirty(exclusive()));
        assertThat(found()).containsExactly("I19");
    }

    @Test
    void shouldReportALostUffdWpBit() {
        lockPage();
        convert(encoding.mkSwapUffdWp(exclusive()), encoding.wrProtect(present));
        assertThat(found()).containsExactly("I19");
    }

    @Test
    void shouldReportADemotionThatLosesBitsButNotAClearing() {
        convert(exclusive(), encoding.clearSwapSoftDirty(exclusive()));
        assertThat(found()).isEmpty();
        convert(exclusive(), encoding.clearSwapSoftDirty(encoding.downgradeExclusive(exclusive())));
        assertThat(found()).containsExactly("I19");
    }

    @Test
    void shouldReportADirtyBitThatNobodyCollected() {
        emulation.platform.pageLock().lock(actor, pfn);
        convert(present, exclusive());
        assertThat(found()).containsExactly("I22");
    }

    /** Everybody lets go of a file's page, and what was written through the entry is forgotten. */
    @Test
    void shouldReportADirtyFilePageThatIsZapped() {
        emulation.frames.setBits(pfn, FrameTable.FILE);
        watch.changed(table, slot, present, encoding.empty());
        assertThat(found()).as("while it may still be collected").isEmpty();

        watch.released(actor, LockClass.PT, 0, false);

        assertThat(found()).containsExactly("I22");
    }

    @Test
    void shouldAcceptAZapThatCollectsOrHasNothingToCollect() {
        watch.changed(table, slot, present, encoding.empty()); // anonymous
        watch.released(actor, LockClass.PT, 0, false);
        emulation.frames.setBits(pfn, FrameTable.FILE);
        watch.changed(table, slot, encoding.mkClean(present), encoding.empty());
        watch.released(actor, LockClass.PT, 0, false);
        watch.changed(table, slot, present, encoding.empty());
        emulation.frames.markDirty(pfn);
        watch.released(actor, LockClass.PT, 0, false);
        assertThat(found()).isEmpty();
    }

    /** mremap: the bit goes along. Unless it does not. */
    @Test
    void shouldLookForTheDirtyBitWhereAnEntryHasMoved() {
        emulation.frames.setBits(pfn, FrameTable.FILE);
        watch.changed(table, slot, present, encoding.empty());
        watch.changed(table, slot + Long.BYTES, encoding.empty(), present);
        watch.released(actor, LockClass.PT, 0, false);
        assertThat(found()).isEmpty();

        watch.changed(table, slot, present, encoding.empty());
        watch.changed(table, slot + Long.BYTES, encoding.empty(), encoding.mkClean(present));
        watch.released(actor, LockClass.PT, 0, false);
        assertThat(found()).containsExactly("I22");
    }

    /** As same-page merging does it, with and without the last step before the store. */
    @Test
    void shouldReportADirtyBitThatAWriteProtectionLoses() {
        final long protectedClean = encoding.mkClean(encoding.wrProtect(present));
        watch.changed(table, slot, present, encoding.wrProtect(present));
        assertThat(found()).as("kept in the entry").isEmpty();

        convert(present, protectedClean);
        assertThat(found()).containsExactly("I22");

        final Watch another = new Watch(emulation.platform);
        emulation.frames.markDirty(pfn);
        another.changed(table, slot, present, encoding.empty());
        another.changed(table, slot, encoding.empty(), protectedClean);
        final CheckReport report = new CheckReport();
        another.addTo(report);
        assertThat(report.violations()).isEmpty();
    }

    @Test
    void shouldReportADirtyBitThatIsClearedInPlaceUnlessByMadvFree() {
        emulation.frames.setBits(pfn, FrameTable.LAZY_FREE);
        watch.changed(table, slot, present, encoding.mkClean(present));
        assertThat(found()).isEmpty();
        emulation.frames.clearBits(pfn, FrameTable.LAZY_FREE);
        watch.changed(table, slot, present, encoding.mkClean(present));
        assertThat(found()).containsExactly("I22");
    }

    /** All of it by MADV_FREE, through single entries. */
    @Test
    void shouldLookAtTheHeadOfAFolioThatIsFreedLazily() {
        final long folio = emulation.platform.allocator().allocateCompound();
        final long page = encoding.mkDirty(encoding.present(folio + 5, READ_WRITE));
        emulation.frames.setBits(folio, FrameTable.LAZY_FREE);
        watch.changed(table, slot, page, encoding.mkClean(page));
        assertThat(found()).isEmpty();
        emulation.frames.clearBits(folio, FrameTable.LAZY_FREE);
        watch.changed(table, slot, page, encoding.mkClean(page));
        assertThat(found()).containsExactly("I22");
    }

    @Test
    void shouldReportADirtyFilePageThatAnotherTakesThePlaceOf() {
        emulation.frames.setBits(pfn, FrameTable.FILE);
        convert(
                present,
                encoding.present(pfn + 1, emulation.space.vmas().lookup(BASE).protection()));
        assertThat(found()).containsExactly("I22");
    }

    /** try_to_migrate, try_to_unmap. */
    @ParameterizedTest
    @EnumSource(
            value = PteKind.class,
            names = {"MIGRATION_WRITE", "MIGRATION_READ_EXCLUSIVE", "MIGRATION_READ", "SWAP"})
    void shouldReportADirtyBitThatAMigrationOrReclaimLoses(final PteKind kind) {
        final long entry =
                kind == PteKind.SWAP ? encoding.fromSwapEntry(SwapEntry.of(0, 1)) : encoding.frameEntry(kind, pfn);
        convert(present, entry);
        assertThat(found()).containsExactly("I22");
    }

    @Test
    void shouldReportAValidEntryThatIsStoredOver() {
        watch.changed(
                table,
                slot,
                present,
                encoding.present(pfn + 1, emulation.space.vmas().lookup(BASE).protection()));
        table.unlock(actor, slot);
        watch.changed(table, slot, encoding.empty(), present);
        final CheckReport report = new CheckReport();
        watch.addTo(report);
        assertThat(report.violations()).hasSize(2).allMatch(violation -> violation.startsWith("O1:"));
    }

    // ---- I32 --------------------------------------------------------------------------------------------------------

    private void hold(final LockClass lock, final boolean shared) {
        watch.acquiring(actor, lock, 1, shared, false);
        watch.acquired(actor, lock, 1, shared);
    }

    @ParameterizedTest
    @CsvSource({
        "PT, PG",
        "PT, MM",
        "PT, DL",
        "PT, AV",
        "PT, RING",
        "SQ, DL",
        "LF, PT",
        "PG, MM",
        "PG, PG",
        "PG, VL",
        "AV, PG",
        "DL, MM",
        "DL, PG",
        "DL, AV",
        "DL, DL",
        "DL, RING",
        "N, MM",
        "VL, MM",
        "NB, MM",
        "NB, VL",
        "NB, PG",
        "NB, AV",
        "NB, IM",
        "NB, IR",
        "NB, DM",
        "NB, MS",
        "NB, DL",
        "NB, RING",
        "NB, FW"
    })
    void shouldReportAWaitInTheWrongOrder(final LockClass held, final LockClass wanted) {
        hold(held, held == LockClass.N);
        watch.acquiring(actor, wanted, 2, false, true);
        assertThat(found()).as("an attempt").isEmpty();

        watch.acquiring(actor, wanted, 2, false, false);

        assertThat(found()).containsExactly("I32");
    }

    @ParameterizedTest
    @CsvSource({
        "MM, VL",
        "MM, PG",
        "VL, PG",
        "PG, AV",
        "PG, DL",
        "AV, DL",
        "MM, DL",
        "PT, PT",
        "PT, LF",
        "DL, PT",
        "MM, PT",
        "PT, WINDOW",
        "DL, WINDOW",
        "N, PG",
        "N, PT",
        "NB, PT",
        "NB, SQ",
        "NB, LF"
    })
    void shouldAcceptTheOrder(final LockClass held, final LockClass wanted) {
        hold(held, held == LockClass.N);
        watch.acquiring(actor, wanted, 2, false, false);
        assertThat(found()).isEmpty();
    }

    /** Drivers lock the pages that they move others to, with those locked. */
    @Test
    void shouldAcceptTheLockOfAFreshPageUnderThatOfAnother() {
        hold(LockClass.PG, false);
        watch.acquiring(actor, LockClass.PG, emulation.platform.allocator().allocate(), false, false);
        assertThat(found()).isEmpty();
        watch.acquiring(actor, LockClass.PG, pfn, false, false);
        assertThat(found()).containsExactly("I32");
    }

    static Stream<Arguments> waitsForSpans() {
        return Stream.of(LockClass.PG, LockClass.DL, LockClass.PT, LockClass.N, LockClass.AV, LockClass.NB)
                .map(Arguments::of);
    }

    /** read_begin and remove: whoever runs the span may need what is held. */
    @ParameterizedTest
    @MethodSource("waitsForSpans")
    void shouldReportAWaitForSpansUnderALockThatTheyNeed(final LockClass held) {
        hold(held, held == LockClass.N);
        watch.acquiring(actor, LockClass.N, 2, false, false);
        assertThat(found()).containsExactly("I32");
    }

    @Test
    void shouldReportAWaitForReadersInsideTheirSection() {
        hold(LockClass.SR, true);
        watch.acquiring(actor, LockClass.SR, 2, false, false);
        assertThat(found()).containsExactly("I32");
    }

    /** Fork takes the child's under the parent's, both for writing; nobody takes two shared. */
    @Test
    void shouldAcceptTwoMmapLocksOnlyForWriting() {
        hold(LockClass.MM, false);
        hold(LockClass.MM, false);
        assertThat(found()).isEmpty();
        watch.released(actor, LockClass.MM, 1, false);
        watch.released(actor, LockClass.MM, 1, false);
        hold(LockClass.MM, true);
        watch.acquiring(actor, LockClass.MM, 2, true, false);
        assertThat(found()).containsExactly("I32");
    }

    @Test
    void shouldForgetReleasedLocksAndNotJudgeTheReferee() {
        hold(LockClass.PG, false);
        watch.released(actor, LockClass.PG, 1, false);
        watch.acquiring(actor, LockClass.MM, 2, true, false);
        watch.referee(actor);
        hold(LockClass.DL, false);
        hold(LockClass.DL, false);
        assertThat(found()).isEmpty();
    }
}
