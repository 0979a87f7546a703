package mmutex.fault;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.layout.HugePmd;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.TransparentHugePages;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HugeFaultTest {
    private static final SemanticProfile K612 = SemanticProfile.K612;

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    // ---- first touch ------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapAHugePageOnWrite(final SemanticProfile profile) {
        final Emulation emulation = Huge.advised(profile, 1);
        final List<Event> events = emulation.record();

        emulation.store(7, 70);

        final long pmd = Huge.pmd(emulation.process, 0);
        final long folio = HugePmd.frameNumber(pmd);
        assertThat(folio % PAGES).isZero();
        assertThat(HugePmd.isWritable(pmd)).isTrue();
        assertThat(HugePmd.isDirty(pmd)).isTrue();
        assertThat(emulation.cpu.minorFaults()).isEqualTo(1);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
        assertThat(emulation.frames.refCount(folio)).isEqualTo(1);
        assertThat(emulation.frames.has(folio, FrameTable.ANON_EXCLUSIVE)).isEqualTo(profile.hasAnonExclusive());
        assertThat(Huge.state(emulation, 511).frame()).isEqualTo(folio + 511);
        assertThat(Huge.state(emulation, 511).mapCount()).isEqualTo(1);
        assertThat(emulation.load(7)).isEqualTo(70);
        assertThat(emulation.load(511)).isZero();
        assertThat(events).isEmpty();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapTheHugePageOfZeroesOnRead(final SemanticProfile profile) {
        final Emulation emulation = Huge.advised(profile, 2);

        assertThat(emulation.load(3)).isZero();
        assertThat(emulation.load(PAGES)).isZero();

        final long zero = emulation.platform.hugeZero().current();
        assertThat(HugePmd.frameNumber(Huge.pmd(emulation.process, 0))).isEqualTo(zero);
        assertThat(HugePmd.frameNumber(Huge.pmd(emulation.process, PAGES))).isEqualTo(zero);
        assertThat(Huge.isWritable(emulation, 0)).isFalse();
        assertThat(emulation.process.rssAnonPages()).isZero();
        assertThat(emulation.frames.refCount(zero)).isEqualTo(1);
        assertThat(Huge.state(emulation, 5).mapCount()).isZero();
        assertThat(Huge.state(emulation, 5).zero()).isFalse();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldObeyThePolicy() {
        final Emulation emulation = Huge.advised(K612, 4);
        emulation.map(4 * PAGES, 2 * PAGES, READ_WRITE);

        emulation.store(4 * PAGES, 1);
        assertThat(Huge.isHuge(emulation, 4 * PAGES)).as("not advised").isFalse();
        emulation.platform.transparentHugePages(TransparentHugePages.NEVER);
        emulation.store(0, 1);
        assertThat(Huge.isHuge(emulation, 0)).as("never").isFalse();
        emulation.platform.transparentHugePages(TransparentHugePages.ALWAYS);
        emulation.store(5 * PAGES, 1);
        assertThat(Huge.isHuge(emulation, 5 * PAGES)).as("always").isTrue();
        Huge.advise(emulation, PAGES, PAGES, Advice.NOHUGEPAGE);
        emulation.store(PAGES, 1);
        assertThat(Huge.isHuge(emulation, PAGES)).as("advised against").isFalse();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldMapSmallPagesWhereAHugeOneDoesNotFit() {
        final Emulation emulation = new Emulation(K612, 1 << 12, 128);
        emulation.map(1, 2 * PAGES, READ_WRITE);
        Huge.advise(emulation, 1, 2 * PAGES, Advice.HUGEPAGE);

        emulation.store(1, 1);
        emulation.store(PAGES, 2);
        emulation.store(2 * PAGES, 3);

        assertThat(Huge.isHuge(emulation, 1)).isFalse();
        assertThat(Huge.isHuge(emulation, PAGES)).isTrue();
        assertThat(Huge.isHuge(emulation, 2 * PAGES)).isFalse();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES + 2);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldMapSmallPagesWhenNoHugeOneIsLeft() {
        final Emulation emulation = new Emulation(K612, 1000, 128);
        emulation.map(0, 2 * PAGES, READ_WRITE);
        Huge.advise(emulation, 0, 2 * PAGES, Advice.HUGEPAGE);
        final long taken = emulation.platform.allocator().allocateCompound();
        assertThat(taken).isEqualTo(FrameAllocator.NONE); // frames 512 to 1023 are not all there

        emulation.store(0, 1);
        emulation.load(PAGES);

        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        assertThat(emulation.frame(PAGES)).isEqualTo(FrameAllocator.ZERO_FRAME);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldFailWithoutTables() {
        final Emulation emulation = new Emulation(K612, 1 << 11, 16);
        emulation.map(0, PAGES, READ_WRITE);
        Huge.advise(emulation, 0, PAGES, Advice.HUGEPAGE);
        while (emulation.platform.tables().inUse() < 15) {
            emulation.platform.tables().allocate(0);
        }

        assertThat(emulation.cpu.storeLong(addr(0), 1)).isEqualTo(Signal.OUT_OF_MEMORY);

        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.process.rssAnonPages()).isZero();
        emulation.assertSound();
    }

    /** An aligned range into which small pages came first keeps its table. */
    @Test
    void shouldNotMapAHugePageOverATable() {
        final Emulation emulation = new Emulation(K612, 1 << 11, 64);
        emulation.map(0, PAGES, READ_WRITE);
        emulation.store(0, 1);
        Huge.advise(emulation, 0, PAGES, Advice.HUGEPAGE);

        emulation.store(1, 1);

        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        emulation.assertNothingIsLeft();
    }

    // ---- writes to read-only entries --------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReplaceZeroesAsTheProfileSays(final SemanticProfile profile) {
        final Emulation emulation = Huge.advised(profile, 1);
        emulation.load(0);
        final List<Event> events = emulation.record();

        emulation.store(9, 90);

        assertThat(Huge.isHuge(emulation, 0)).isEqualTo(profile.hugeZeroWriteAllocates());
        if (profile.hugeZeroWriteAllocates()) {
            assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
            assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
        } else {
            assertThat(events)
                    .containsExactly(
                            new Event(NotifierEvent.CLEAR, 0, PAGES, 0), new Event(NotifierEvent.CLEAR, 9, 10, 0));
            assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
            assertThat(emulation.frame(8)).isEqualTo(FrameAllocator.ZERO_FRAME);
        }
        assertThat(emulation.load(9)).isEqualTo(90);
        assertThat(emulation.load(10)).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldSplitZeroesWhenNoHugePageIsLeft() {
        final Emulation emulation = new Emulation(SemanticProfile.K615, 2 * PAGES, 64);
        emulation.map(0, PAGES, READ_WRITE);
        Huge.advise(emulation, 0, PAGES, Advice.HUGEPAGE);
        emulation.load(0);

        emulation.store(1, 5);

        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        assertThat(emulation.load(1)).isEqualTo(5);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReuseAHugePageThatIsOursAlone(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final Process child = emulation.fork();
        child.exit(emulation.cpu);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));
        final List<Event> events = emulation.record();

        emulation.store(1, 11);

        assertThat(HugePmd.frameNumber(Huge.pmd(emulation.process, 0))).isEqualTo(folio);
        assertThat(Huge.isWritable(emulation, 0)).isTrue();
        assertThat(events).isEmpty();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitAndCopyOnePageOfASharedHugePage(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final Process child = emulation.fork();
        final Cpu childCpu = emulation.machine.cpu(1);
        childCpu.run(child);
        final long folio = HugePmd.frameNumber(Huge.pmd(child, 0));
        final List<Event> events = emulation.record();

        emulation.store(3, 33);

        assertThat(events)
                .containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0), new Event(NotifierEvent.CLEAR, 3, 4, 0));
        assertThat(Huge.pmd(child, 0)).isNotZero();
        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        assertThat(emulation.frame(4)).isEqualTo(folio + 4);
        assertThat(emulation.frames.refCount(folio)).isEqualTo(1 + PAGES - 1);
        assertThat(emulation.frames.mapCount(folio + 4)).isEqualTo(2);
        assertThat(emulation.frames.mapCount(folio + 3)).isEqualTo(1);
        assertThat(childCpu.loadLong(addr(3))).isEqualTo(Signal.NONE);
        assertThat(childCpu.value()).isEqualTo(3);
        emulation.assertSound();
        // The child's write: shared with pages that the parent still maps, so split and copied there too.
        assertThat(childCpu.storeLong(addr(4), 44)).isEqualTo(Signal.NONE);
        assertThat(emulation.load(4)).isEqualTo(4);
        emulation.assertSound();
        childCpu.run(null);
        child.exit(emulation.cpu);
        Huge.assertContents(emulation, 4, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldRefuseWritesWhereTheVmaDoes() {
        final Emulation emulation = Huge.written(K612, 1);
        emulation.protect(0, PAGES, READ);

        assertThat(emulation.cpu.storeLong(addr(0), 1)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(emulation.load(5)).isEqualTo(5);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- get_user_pages ---------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitForWhoeverWantsPagesByThemselves(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));
        final List<Event> events = emulation.record();
        final long[] pages = new long[3];

        emulation.space.mmapLock().readLock(emulation.cpu);
        final int got = PageGetter.getPages(
                emulation.cpu, emulation.space, addr(2), 3, GupFlags.WRITE | GupFlags.SPLIT_PMD, pages);
        emulation.space.mmapLock().readUnlock(emulation.cpu);

        assertThat(got).isEqualTo(3);
        assertThat(pages).containsExactly(folio + 2, folio + 3, folio + 4);
        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        assertThat(emulation.frames.refCount(folio)).isEqualTo(PAGES + 3);
        assertThat(emulation.isWritable(2)).isTrue();
        assertThat(emulation.encoding.isDirty(emulation.pte(500))).isTrue();
        assertThat(emulation.frames.has(folio + 500, FrameTable.ANON_EXCLUSIVE)).isEqualTo(profile.hasAnonExclusive());
        for (final long page : pages) {
            emulation.platform.putPage(page);
        }
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldReferenceAPageUnderAHugeEntryWithoutSplitting() {
        final Emulation emulation = Huge.written(K612, 1);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));
        final List<Event> events = emulation.record();
        final long[] pages = new long[1];

        emulation.space.mmapLock().readLock(emulation.cpu);
        final int got = PageGetter.getPages(emulation.cpu, emulation.space, addr(9), 1, GupFlags.WRITE, pages);
        emulation.space.mmapLock().readUnlock(emulation.cpu);

        assertThat(got).isEqualTo(1);
        assertThat(pages[0]).isEqualTo(folio + 9);
        assertThat(emulation.frames.refCount(folio)).isEqualTo(2);
        assertThat(events).isEmpty();
        assertThat(Huge.isHuge(emulation, 9)).isTrue();
        emulation.platform.putPage(pages[0]);
        Huge.assertNothingIsLeft(emulation);
    }

    /** A split needs no table of the arena: one was put aside. */
    @Test
    void shouldSplitWithoutATableLeft() {
        final Emulation emulation = Huge.written(K612, 1);
        while (emulation.platform.tables().allocate(0) != 0) {
            // all of them
        }

        assertThat(emulation.process.madvise(emulation.cpu, addr(1), PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.NONE);
        emulation.assertSound();
    }

    /** FOLL_FORCE: written to although the mapping forbids it, by an entry that still does; soft-dirty tracked or not. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotOpenAReadOnlyMappingForAForcedWrite(final SemanticProfile profile) {
        for (final boolean tracked : new boolean[] {false, true}) {
            final Emulation emulation = Huge.written(profile, 1);
            if (tracked) {
                emulation.process.clearSoftDirty(emulation.cpu);
            }
            emulation.protect(0, PAGES, READ);

            assertThat(emulation.process.writeForced(emulation.cpu, addr(3), new byte[] {77, 0, 0, 0, 0, 0, 0, 0}))
                    .isEqualTo(8);

            assertThat(emulation.load(3)).isEqualTo(77);
            assertThat(emulation.load(4)).isEqualTo(4);
            assertThat(emulation.cpu.storeLong(addr(3), 1)).isEqualTo(Signal.SEGV_ACCERR);
            assertThat(emulation.cpu.storeLong(addr(4), 1)).isEqualTo(Signal.SEGV_ACCERR);
            emulation.assertSound();
            Huge.assertNothingIsLeft(emulation);
        }
    }
}
