package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.layout.HugePmd;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Large folios under MADV_PAGEOUT, MADV_COLD and MADV_FREE, whole and in part, and when memory is short. */
class LargeReclaimTest {
    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    private static Emulation withSwap(final SemanticProfile profile, final int slots) {
        final Emulation emulation = Huge.written(profile, 1);
        assertThat(emulation.machine.swapOn(slots)).isEqualTo(Errno.OK);
        return emulation;
    }

    /** Mapped by single entries. */
    private static void splitEntry(final Emulation emulation) {
        emulation.protect(PAGES - 1, 1, READ);
        emulation.protect(PAGES - 1, 1, READ_WRITE);
        assertThat(Huge.isHuge(emulation, 0)).isFalse();
    }

    private static int count(final Emulation emulation, final PteKind kind) {
        int count = 0;
        for (int page = 0; page < PAGES; page++) {
            count += emulation.kind(page) == kind ? 1 : 0;
        }
        return count;
    }

    // ---- whole --------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSwapOutAHugePageWhole(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile, 2 * PAGES);

        Huge.advise(emulation, 0, PAGES, Advice.PAGEOUT);

        assertThat(count(emulation, PteKind.SWAP)).as("zeroes too").isEqualTo(PAGES);
        assertThat(emulation.space.swapEntries().value()).isEqualTo(PAGES);
        assertThat(emulation.process.rssAnonPages()).isZero();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        emulation.assertSound();
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.store(5, 55);
        assertThat(emulation.load(5)).isEqualTo(55);
        assertThat(emulation.platform.swap().inUse()).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSwapOutALargeFolioWholeWhenMemoryIsShort(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile, PAGES);
        final Process child = emulation.fork();
        splitEntry(emulation);

        emulation.machine.reclaim(emulation.cpu, 1);

        assertThat(count(emulation, PteKind.SWAP)).isEqualTo(PAGES);
        assertThat(emulation.platform.allocator().inUse()).isZero();
        emulation.cpu.run(child);
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.cpu.run(emulation.process);
        child.exit(emulation.cpu);
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    /** The area has not as many slots in a row: what fits goes, page by page. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitWithoutARowOfSlots(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile, 100);

        Huge.advise(emulation, 0, PAGES, Advice.PAGEOUT);

        assertThat(count(emulation, PteKind.SWAP)).isEqualTo(100);
        assertThat(emulation.frames.isLarge(emulation.frame(PAGES - 1))).isFalse();
        assertThat(Huge.state(emulation, 0).zero()).isEqualTo(profile.splitMapsZeroes());
        emulation.assertSound();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldDropWhatWasFreedWhole(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        Huge.advise(emulation, 0, PAGES, Advice.FREE);

        emulation.machine.reclaim(emulation.cpu, 1);

        assertThat(count(emulation, PteKind.NONE)).isEqualTo(PAGES);
        assertThat(emulation.process.rssAnonPages()).isZero();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.load(7)).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    /** One page was written after all: nothing is lost. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepWhatWasWrittenAfterFreeing(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        Huge.advise(emulation, 0, PAGES, Advice.FREE);
        emulation.store(3, 33);

        emulation.machine.reclaim(emulation.cpu, 1);

        assertThat(emulation.load(3)).isEqualTo(33);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }

    /** By single entries, but all of them. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFreeALargeFolioWhole(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));
        splitEntry(emulation);

        Huge.advise(emulation, 0, PAGES, Advice.FREE);

        assertThat(emulation.frames.isLarge(folio)).isTrue();
        assertThat(emulation.frames.has(folio, FrameTable.LAZY_FREE)).isTrue();
        assertThat(emulation.frames.isDirty(folio)).isFalse();
        emulation.machine.reclaim(emulation.cpu, 1);
        assertThat(emulation.platform.allocator().inUse()).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- in part ------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitToPageOutAPart(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile, 2 * PAGES);

        Huge.advise(emulation, 10, 20, Advice.PAGEOUT);

        assertThat(count(emulation, PteKind.SWAP)).isEqualTo(20);
        assertThat(emulation.kind(10)).isEqualTo(PteKind.SWAP);
        assertThat(emulation.frames.isLarge(emulation.frame(40))).isFalse();
        emulation.assertSound();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitToFreeAPart(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);

        Huge.advise(emulation, 10, 20, Advice.FREE);
        emulation.machine.reclaim(emulation.cpu, PAGES);

        assertThat(emulation.frames.isLarge(emulation.frame(40))).isFalse();
        for (int page = 10; page < 30; page++) {
            assertThat(emulation.kind(page)).isEqualTo(PteKind.NONE);
        }
        emulation.assertSound();
        Huge.assertContents(emulation, 30, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitToCoolAPart(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);

        Huge.advise(emulation, 10, 20, Advice.COLD);

        assertThat(emulation.frames.isLarge(emulation.frame(40))).isFalse();
        assertThat(emulation.encoding.isYoung(emulation.pte(10))).isFalse();
        assertThat(emulation.encoding.isYoung(emulation.pte(40))).isTrue();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    /** What others map, or use, is not ours to take apart. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotSplitWhatIsShared(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile, 2 * PAGES);
        final Process child = emulation.fork();

        Huge.advise(emulation, 10, 20, Advice.PAGEOUT);
        Huge.advise(emulation, 10, 20, Advice.FREE);

        assertThat(emulation.kind(10)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.frames.isLarge(emulation.frame(10))).isTrue();
        child.exit(emulation.cpu);
        final long used = emulation.frame(300);
        emulation.frames.get(used);
        Huge.advise(emulation, 10, 20, Advice.PAGEOUT);
        Huge.advise(emulation, 10, 20, Advice.FREE);
        assertThat(emulation.kind(10)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.frames.isLarge(emulation.frame(10))).isTrue();
        emulation.platform.putPage(used);
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- deferred splits ----------------------------------------------------------------------------------------

    /** Without swap: the pages that are left stay, those that nobody maps come back. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldGiveBackWhatIsNotMappedWhenMemoryIsShort(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        Huge.advise(emulation, 0, 100, Advice.DONTNEED);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES);

        emulation.machine.reclaim(emulation.cpu, 1);

        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES - 100);
        Huge.assertContents(emulation, 100, PAGES, 0);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeaveWholeFoliosAloneWithoutSwap(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);

        emulation.machine.reclaim(emulation.cpu, PAGES);

        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeaveLockedFoliosAlone(final SemanticProfile profile) {
        final Emulation emulation = withSwap(profile, 2 * PAGES);
        assertThat(emulation.process.mlock(emulation.cpu, addr(3), PAGE)).isEqualTo(Errno.OK);

        emulation.machine.reclaim(emulation.cpu, PAGES);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.frames.isLarge(emulation.frame(0))).isTrue();
        assertThat(emulation.platform.swap().inUse()).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    /** 2 MiB folios are as large as what compaction makes room for (pageblock_order): they stay. */
    @Test
    void shouldNotCompactLargeFolios() {
        final Emulation emulation = Huge.written(SemanticProfile.K612, 1);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));

        assertThat(emulation.machine.compact(emulation.cpu)).isZero();

        assertThat(HugePmd.frameNumber(Huge.pmd(emulation.process, 0))).isEqualTo(folio);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- same-page merging --------------------------------------------------------------------------------------

    /** Pages 5 of one huge page and 6 of another, and nothing else, hold the same. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitFoliosWhosePagesHaveFoundTheirEqual(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 3);
        emulation.store(5, 7777);
        emulation.store(PAGES + 6, 7777);
        Huge.advise(emulation, 0, 3 * PAGES, Advice.MERGEABLE);

        assertThat(emulation.machine.newSamePageMerger().scan(emulation.cpu, emulation.machine.spaces()))
                .isEqualTo(2);

        assertThat(emulation.frame(5)).isEqualTo(emulation.frame(PAGES + 6));
        assertThat(emulation.frames.has(emulation.frame(5), FrameTable.KSM)).isTrue();
        assertThat(emulation.frames.isLarge(emulation.frame(9))).isFalse();
        assertThat(Huge.isHuge(emulation, 2 * PAGES)).as("without equals").isTrue();
        emulation.assertSound();
        emulation.store(5, 8);
        assertThat(emulation.load(PAGES + 6)).isEqualTo(7777);
        Huge.assertContents(emulation, PAGES + 7, 3 * PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldNotMergePagesOfAFolioInUse() {
        final Emulation emulation = Huge.written(SemanticProfile.K612, 2);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));
        emulation.store(5, 7777);
        emulation.store(PAGES + 6, 7777);
        Huge.advise(emulation, 0, 2 * PAGES, Advice.MERGEABLE);
        emulation.frames.get(folio + 100);

        emulation.machine.newSamePageMerger().scan(emulation.cpu, emulation.machine.spaces());

        emulation.platform.putPage(folio + 100);
        assertThat(emulation.frames.isLarge(folio)).isTrue();
        assertThat(emulation.load(5)).isEqualTo(7777);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }
}
