package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.HugePmd;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Taking large folios apart. Page 0 of those that the tests write holds nothing but zeroes. */
class FolioSplitterTest {
    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    private static boolean split(final Emulation emulation, final long folio) {
        emulation.frames.get(folio);
        assertThat(emulation.platform.pageLock().tryLock(emulation.cpu, folio)).isTrue();
        final boolean split = FolioSplitter.split(emulation.cpu, emulation.platform, folio);
        emulation.platform.pageLock().unlock(emulation.cpu, folio);
        emulation.platform.allocator().put(folio);
        return split;
    }

    private static long folio(final Emulation emulation) {
        final long pmd = Huge.pmd(emulation.process, 0);
        return pmd != 0 ? HugePmd.frameNumber(pmd) : emulation.frames.head(emulation.frame(0));
    }

    private static void assertSmall(final Emulation emulation, final long pfn, final int mappings) {
        assertThat(emulation.frames.isLarge(pfn)).as("frame %d is large", pfn).isFalse();
        assertThat(emulation.frames.refCount(pfn)).as("references of %d", pfn).isEqualTo(mappings);
        assertThat(emulation.frames.mapCount(pfn)).as("mappings of %d", pfn).isEqualTo(mappings);
        assertThat(emulation.platform.pageLock().isLocked(pfn)).isFalse();
    }

    /** Mapped by single entries as before, with nothing gained or lost. */
    private static void assertPutBack(final Emulation emulation, final long folio) {
        assertThat(emulation.frames.isLarge(folio)).isTrue();
        for (int page = 0; page < PAGES; page++) {
            assertThat(emulation.frame(page)).isEqualTo(folio + page);
            assertThat(emulation.frames.mapCount(folio + page)).isEqualTo(1);
        }
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeSmallPagesOfALargeOne(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        final List<Event> events = emulation.record();

        assertThat(split(emulation, folio)).isTrue();

        // The entry is split, then the pages are unmapped.
        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.CLEAR, 0, PAGES, 0), new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        for (int page = 1; page < PAGES; page++) {
            assertThat(emulation.frame(page)).isEqualTo(folio + page);
            assertThat(emulation.isWritable(page)).as("page %d", page).isTrue();
            assertSmall(emulation, folio + page, 1);
            assertThat(emulation.frames.has(folio + page, FrameTable.DIRTY | FrameTable.ANON))
                    .isTrue();
            assertThat(emulation.frames.has(folio + page, FrameTable.ANON_EXCLUSIVE))
                    .isEqualTo(profile.hasAnonExclusive());
        }
        final long faults = emulation.cpu.faults();
        for (int page = 1; page < PAGES; page++) {
            emulation.store(page, page);
        }
        assertThat(emulation.cpu.faults()).isEqualTo(faults);
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertSound();
        // Each goes for itself now.
        final long inUse = emulation.platform.allocator().inUse();
        Huge.advise(emulation, 7, 3, Advice.DONTNEED);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(inUse - 3);
        Huge.assertNothingIsLeft(emulation);
    }

    /** RMP_USE_SHARED_ZEROPAGE: what holds nothing costs nothing. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldGivePagesOfZeroesBack(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        emulation.store(9, 0);

        assertThat(split(emulation, folio(emulation))).isTrue();

        final int zeroes = profile.splitMapsZeroes() ? 2 : 0;
        assertThat(Huge.state(emulation, 0).zero()).isEqualTo(zeroes != 0);
        assertThat(Huge.state(emulation, 9).zero()).isEqualTo(zeroes != 0);
        assertThat(Huge.state(emulation, 1).zero()).isFalse();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES - zeroes);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES - zeroes);
        assertThat(emulation.process.pagemap(emulation.cpu, addr(9)).softDirty())
                .isTrue();
        emulation.store(9, 99);
        assertThat(emulation.load(9)).isEqualTo(99);
        assertThat(emulation.load(0)).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldKeepPagesOfZeroesThatAreLockedIntoMemory() {
        final Emulation emulation = Huge.written(SemanticProfile.K612, 1);
        assertThat(emulation.process.mlock(emulation.cpu, addr(0), PAGES * PAGE))
                .isEqualTo(Errno.OK);

        assertThat(split(emulation, folio(emulation))).isTrue();

        assertThat(Huge.state(emulation, 0).zero()).isFalse();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldUnmapAndRemapAChildsPagesToo(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        final Process child = emulation.fork();
        assertThat(child.mprotect(emulation.cpu, addr(5), PAGE, READ)).isEqualTo(Errno.OK); // its entry is split

        assertThat(split(emulation, folio)).isTrue();

        for (int page = 1; page < PAGES; page++) {
            assertThat(emulation.frame(page)).isEqualTo(folio + page);
            assertThat(emulation.frame(child, page)).isEqualTo(folio + page);
            assertSmall(emulation, folio + page, 2);
            assertThat(emulation.isWritable(page)).isFalse();
        }
        emulation.store(8, 80);
        emulation.cpu.run(child);
        assertThat(emulation.load(8)).isEqualTo(8);
        emulation.cpu.run(emulation.process);
        emulation.assertSound();
        child.exit(emulation.cpu);
        Huge.assertContents(emulation, 9, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFreeThePagesThatNothingMaps(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        Huge.advise(emulation, 0, 200, Advice.DONTNEED);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES);

        assertThat(split(emulation, folio)).isTrue();

        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES - 200);
        Huge.assertContents(emulation, 200, PAGES, 0);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }

    /** mremap has left the folio's pages at two places, in three VMAs. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFindPagesThatHaveMoved(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        assertThat(emulation.process.mremap(emulation.cpu, addr(100), 50 * PAGE, addr(3 * PAGES + 490), false))
                .isEqualTo(Errno.OK);

        assertThat(split(emulation, folio)).isTrue();

        for (int page = 0; page < 50; page++) {
            final int to = 3 * PAGES + 490 + page;
            assertThat(emulation.load(to)).isEqualTo(100 + page);
            assertSmall(emulation, emulation.frame(to), 1);
        }
        Huge.assertContents(emulation, 1, 100, 0);
        Huge.assertContents(emulation, 150, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- what must stay -----------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotTouchAPageThatSomebodyUses(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        emulation.frames.get(folio + 17);
        final List<Event> events = emulation.record();

        assertThat(split(emulation, folio)).isFalse();

        assertThat(events).isEmpty();
        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        emulation.platform.putPage(folio + 17);
        Huge.assertNothingIsLeft(emulation);
    }

    /** A reference that is taken while the pages are being unmapped: by a subscriber, at the last moment. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPutEverythingBackIfSomebodyComesToUseIt(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        final int[] spans = {0};
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                if (++spans[0] == 2) {
                    emulation.frames.get(folio + 17);
                }
                return true;
            }
        });

        assertThat(split(emulation, folio)).isFalse();

        emulation.platform.putPage(folio + 17);
        assertPutBack(emulation, folio);
        assertThat(emulation.isWritable(17)).isTrue();
        emulation.assertSound();
        assertThat(split(emulation, folio)).as("now that nobody does").isTrue();
        Huge.assertNothingIsLeft(emulation);
    }

    /** A number of long ago, of one of the pages: its holder finds nothing to lock, but must not be robbed of the lock. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPutEverythingBackIfATailIsLocked(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        final Actor other = emulation.machine.newTask("other");
        assertThat(emulation.platform.pageLock().tryLock(other, folio + 300)).isTrue();

        assertThat(split(emulation, folio)).isFalse();

        emulation.platform.pageLock().unlock(other, folio + 300);
        assertPutBack(emulation, folio);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }

    /** Up to 6.14 an exclusive entry is a reference without a mapping: it holds the whole folio together. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitAroundExclusivePagesIfTheyAreMappings(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = folio(emulation);
        final MirrorHandle device = emulation.open(0);
        device.exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
        final List<Event> events = emulation.record();

        assertThat(split(emulation, folio)).isEqualTo(profile.exclusiveIsReclaimable());

        if (profile.exclusiveIsReclaimable()) {
            assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
            assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
            assertThat(device.table().nextValid(addr(0) / PAGE, addr(PAGES) / PAGE))
                    .as("mapped by the device")
                    .isEqualTo(addr(PAGES) / PAGE);
        } else {
            assertThat(events).isEmpty();
            assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
            assertThat(emulation.frames.isLarge(folio)).isTrue();
        }
        if (!profile.restoreConfusesSubpages()) {
            Huge.assertContents(emulation, 0, PAGES, 0);
        }
        Huge.assertNothingIsLeft(emulation);
    }

    /** The early series map the first page in the place of others, where no walk would look for it. */
    @Test
    void shouldNotSplitWhatIsMappedOutOfPlace() {
        final Emulation emulation = Huge.written(SemanticProfile.V3, 1);
        final long folio = folio(emulation);
        emulation.open(0).exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));
        for (int page = 0; page < PAGES; page++) {
            emulation.load(page);
        }
        assertThat(emulation.frame(5)).isEqualTo(folio);

        assertThat(split(emulation, folio)).isFalse();

        assertThat(emulation.frames.isLarge(folio)).isTrue();
        for (int page = 0; page < PAGES; page++) {
            assertThat(emulation.kind(page)).isEqualTo(PteKind.PRESENT);
        }
        // Writable at many places at once, as these kernels leave it.
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);
        assertThat(emulation.platform.allocator().inUse()).isZero();
    }

    @Test
    void shouldNotSplitAFolioWithoutMappings() {
        final Emulation emulation = Huge.written(SemanticProfile.K612, 1);
        final long folio = folio(emulation);
        emulation.frames.get(folio);
        Huge.advise(emulation, 0, PAGES, Advice.DONTNEED);

        assertThat(split(emulation, folio)).isFalse();

        emulation.platform.putPage(folio);
        Huge.assertNothingIsLeft(emulation);
    }

    /** A number that was kept from before the split leads to the page's own record. */
    @Test
    void shouldLetStaleNumbersFindThePagesThemselves() {
        final Emulation emulation = Huge.written(SemanticProfile.K612, 1);
        final long folio = folio(emulation);
        split(emulation, folio);

        assertThat(emulation.frames.tryGet(folio + 4)).isTrue();

        assertThat(emulation.frames.head(folio + 4)).isEqualTo(folio + 4);
        assertThat(emulation.frames.refCount(folio + 4)).isEqualTo(2);
        assertThat(emulation.frames.refCount(folio))
                .as("the first page's is freed")
                .isZero();
        emulation.platform.putPage(folio + 4);
        emulation.protect(0, PAGES, READ).protect(0, PAGES, READ_WRITE);
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }
}
