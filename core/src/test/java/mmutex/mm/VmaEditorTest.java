package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_ONLY;
import static mmutex.mm.MmFixture.READ_WRITE;
import static mmutex.mm.MmFixture.layout;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import mmutex.layout.VmFlags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Splitting and merging; which VMAs are one is visible to programs. */
class VmaEditorTest {
    private final MmFixture mm = new MmFixture();

    // ---- map ----------------------------------------------------------------------------------------------------

    @Test
    void shouldMapIntoAnEmptySpace() {
        final Vma vma = mm.map(10, 20, READ_WRITE);

        assertThat(layout(mm.space)).isEqualTo("10-20");
        assertThat(vma.flags()).isEqualTo(READ_WRITE | VmFlags.SOFTDIRTY);
        assertThat(vma.protection()).isEqualTo(mm.platform.encoding().protection(vma.flags()));
        assertThat(vma.pageOffset()).isEqualTo(10);
        assertThat(vma.anonVma()).isNull();
        assertThat(vma.isDetached()).isFalse();
    }

    @Test
    void shouldMergeANewRangeWithTheVmaBefore() {
        final Vma before = mm.map(10, 20, READ_WRITE);

        assertThat(mm.map(20, 30, READ_WRITE)).isSameAs(before);
        assertThat(layout(mm.space)).isEqualTo("10-30");
        assertThat(before.pageOffset()).isEqualTo(10);
    }

    @Test
    void shouldMergeANewRangeWithTheVmaBehind() {
        final Vma behind = mm.map(20, 30, READ_WRITE);

        assertThat(mm.map(10, 20, READ_WRITE)).isSameAs(behind);
        assertThat(layout(mm.space)).isEqualTo("10-30");
        assertThat(behind.pageOffset()).isEqualTo(10);
    }

    @Test
    void shouldJoinBothNeighboursWithANewRange() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        final Vma behind = mm.map(30, 40, READ_WRITE);

        assertThat(mm.map(20, 30, READ_WRITE)).isSameAs(before);
        assertThat(layout(mm.space)).isEqualTo("10-40");
        assertThat(behind.isDetached()).isTrue();
    }

    @Test
    void shouldNotMergeAcrossAHole() {
        mm.map(10, 20, READ_WRITE);
        mm.map(21, 30, READ_WRITE);

        assertThat(layout(mm.space)).isEqualTo("10-20 21-30");
    }

    @Test
    void shouldNotMergeOtherFlags() {
        mm.map(10, 20, READ_WRITE);
        mm.map(20, 30, READ_ONLY);
        mm.map(30, 40, READ_WRITE | VmFlags.DONTCOPY);

        assertThat(layout(mm.space)).isEqualTo("10-20 20-30 30-40");
    }

    @Test
    void shouldMergeInSpiteOfSoftDirty() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        mm.space.mmapLock().writeLock(mm.task);
        before.flags(READ_WRITE); // as clear_refs leaves it
        mm.space.mmapLock().writeUnlock(mm.task);
        mm.map(20, 30, READ_WRITE);

        assertThat(layout(mm.space)).isEqualTo("10-30");
        assertThat(before.has(VmFlags.SOFTDIRTY)).isTrue();
    }

    @Test
    void shouldNotMergeOtherPageOffsets() {
        mm.map(mm.space, 10, 20, READ_WRITE, 10);
        mm.map(mm.space, 20, 30, READ_WRITE, 21);
        mm.map(mm.space, 30, 40, READ_WRITE, 31);

        assertThat(layout(mm.space)).isEqualTo("10-20 20-40"); // 21..30 and 31..40 are contiguous
    }

    @Test
    void shouldGiveANewRangeItsNeighboursAnonVma() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        final AnonVma anonVma = mm.prepare(before);

        mm.map(20, 30, READ_WRITE);

        assertThat(layout(mm.space)).isEqualTo("10-30");
        assertThat(before.anonVma()).isSameAs(anonVma);
        assertThat(anonVma.vmas()).containsExactly(before);
    }

    @Test
    void shouldJoinNeighboursOfWhichOneHasAnAnonVma() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        final Vma behind = mm.map(30, 40, READ_WRITE);
        final AnonVma anonVma = mm.prepare(behind);

        mm.map(20, 30, READ_WRITE);

        assertThat(layout(mm.space)).isEqualTo("10-40");
        assertThat(before.anonVma()).isSameAs(anonVma);
        assertThat(anonVma.vmas()).containsExactly(before);
        assertThat(anonVma.activeVmas).isEqualTo(1);
    }

    @Test
    void shouldNotJoinNeighboursWithDifferentAnonVmas() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        final Vma behind = mm.map(30, 40, READ_WRITE);
        final AnonVma first = mm.prepare(before);
        final AnonVma second = mm.prepare(behind);
        assertThat(first).isNotSameAs(second);

        mm.map(20, 30, READ_WRITE);

        assertThat(layout(mm.space)).isEqualTo("10-30 30-40");
        assertThat(before.anonVma()).isSameAs(first);
        assertThat(behind.anonVma()).isSameAs(second);
    }

    /** A VMA that fork has linked to its parent's anon_vma keeps its own to itself. */
    @Test
    void shouldNotGrowAnInheritedVma() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        mm.prepare(parent);
        final AddressSpace child = mm.newSpace();
        mm.fork(child, parent);

        mm.map(child, 20, 30, READ_WRITE, 20);
        mm.map(20, 30, READ_WRITE);

        assertThat(layout(child)).isEqualTo("10-20 20-30");
        assertThat(layout(mm.space)).isEqualTo("10-30"); // the parent's own may grow
    }

    // ---- modify -------------------------------------------------------------------------------------------------

    @Test
    void shouldModifyAWholeVmaInPlace() {
        final Vma vma = mm.map(10, 20, READ_WRITE);

        assertThat(mm.modify(10, 20, READ_ONLY)).isSameAs(vma);
        assertThat(layout(mm.space)).isEqualTo("10-20");
        assertThat(vma.flags()).isEqualTo(READ_ONLY);
        assertThat(vma.protection()).isEqualTo(mm.platform.encoding().protection(READ_ONLY));
    }

    @Test
    void shouldSplitOffTheBeginning() {
        final Vma vma = mm.map(10, 20, READ_WRITE);

        final Vma changed = mm.modify(10, 13, READ_ONLY);

        assertThat(layout(mm.space)).isEqualTo("10-13 13-20");
        assertThat(changed.start()).isEqualTo(10 * PAGE);
        assertThat(changed.flags()).isEqualTo(READ_ONLY);
        final Vma rest = mm.space.vmas().lookup(13 * PAGE);
        assertThat(rest.has(VmFlags.WRITE)).isTrue();
        assertThat(rest.pageOffset()).isEqualTo(13);
        assertThat(vma.isDetached()).isFalse();
    }

    @Test
    void shouldSplitOffTheEnd() {
        mm.map(10, 20, READ_WRITE);

        final Vma changed = mm.modify(17, 20, READ_ONLY);

        assertThat(layout(mm.space)).isEqualTo("10-17 17-20");
        assertThat(changed.pageOffset()).isEqualTo(17);
        assertThat(mm.space.vmas().lookup(16 * PAGE).has(VmFlags.WRITE)).isTrue();
    }

    @Test
    void shouldSplitOutTheMiddleAndJoinItAgain() {
        mm.map(10, 20, READ_WRITE);

        final Vma changed = mm.modify(13, 17, READ_ONLY);
        assertThat(layout(mm.space)).isEqualTo("10-13 13-17 17-20");
        assertThat(changed.start()).isEqualTo(13 * PAGE);
        assertThat(changed.pageOffset()).isEqualTo(13);

        mm.modify(13, 17, READ_WRITE);
        assertThat(layout(mm.space)).isEqualTo("10-20");
    }

    @Test
    void shouldMoveTheBoundaryToTheNeighbourWithTheSameFlags() {
        mm.map(10, 20, READ_WRITE);
        mm.modify(15, 20, READ_ONLY);

        mm.modify(10, 12, READ_ONLY);
        assertThat(layout(mm.space)).isEqualTo("10-12 12-15 15-20");
        mm.modify(13, 15, READ_ONLY); // joins what lies behind
        assertThat(layout(mm.space)).isEqualTo("10-12 12-13 13-20");
        mm.modify(13, 16, READ_WRITE); // joins what lies before
        assertThat(layout(mm.space)).isEqualTo("10-12 12-16 16-20");
        for (final Vma vma : mm.space.vmas().snapshot()) {
            assertThat(vma.pageOffset()).isEqualTo(vma.start() / PAGE);
        }
    }

    @Test
    void shouldGiveWholeVmasAwayToNeighbours() {
        mm.map(10, 20, READ_WRITE);
        mm.modify(15, 20, READ_ONLY);

        mm.modify(15, 20, READ_WRITE);
        assertThat(layout(mm.space)).isEqualTo("10-20");
        mm.modify(15, 20, READ_ONLY);
        mm.modify(10, 15, READ_ONLY);
        assertThat(layout(mm.space)).isEqualTo("10-20");
    }

    @Test
    void shouldKeepTheAnonVmaThroughSplitAndMerge() {
        final Vma vma = mm.map(10, 20, READ_WRITE);
        final AnonVma anonVma = mm.prepare(vma);

        mm.modify(13, 17, READ_ONLY);
        assertThat(anonVma.vmas()).hasSize(3);
        assertThat(anonVma.activeVmas).isEqualTo(3);
        for (final Vma part : mm.space.vmas().snapshot()) {
            assertThat(part.anonVma()).isSameAs(anonVma);
        }

        mm.modify(13, 17, READ_WRITE);
        assertThat(layout(mm.space)).isEqualTo("10-20");
        assertThat(anonVma.vmas()).hasSize(1);
        assertThat(anonVma.activeVmas).isEqualTo(1);
    }

    /** Up to 6.15 a changed VMA with anon_vma is not merged into an unfaulted neighbour; a later fix allows it. */
    @Test
    void shouldMergeIntoAnUnfaultedNeighbourAsTheProfileSays() {
        for (final SemanticProfile profile : new SemanticProfile[] {SemanticProfile.K612, SemanticProfile.K615}) {
            final MmFixture other = new MmFixture(profile);
            other.map(10, 20, READ_WRITE);
            final Vma faulted = other.map(20, 30, READ_ONLY);
            final AnonVma anonVma = other.prepare(faulted);

            other.modify(20, 30, READ_WRITE);

            if (profile.mergesIntoUnfaulted()) {
                assertThat(layout(other.space)).isEqualTo("10-30");
                assertThat(other.space.vmas().lookup(10 * PAGE).anonVma()).isSameAs(anonVma);
            } else {
                assertThat(layout(other.space)).isEqualTo("10-20 20-30");
                assertThat(other.space.vmas().lookup(10 * PAGE).anonVma()).isNull();
            }
        }
    }

    // ---- split, remove --------------------------------------------------------------------------------------------

    @Test
    void shouldSplitOnlyInsideAVma() {
        mm.map(10, 20, READ_WRITE);
        mm.space.mmapLock().writeLock(mm.task);

        mm.space.editor().split(mm.task, 5 * PAGE);
        mm.space.editor().split(mm.task, 10 * PAGE);
        mm.space.editor().split(mm.task, 20 * PAGE);
        assertThat(layout(mm.space)).isEqualTo("10-20");
        mm.space.editor().split(mm.task, 11 * PAGE);
        assertThat(layout(mm.space)).isEqualTo("10-11 11-20");
    }

    @Test
    void shouldRemoveAVmaAndItsAnonVma() {
        final Vma vma = mm.map(10, 20, READ_WRITE);
        final long id = mm.prepare(vma).id();

        mm.unmap(mm.space, 10, 20);

        assertThat(mm.space.vmas().size()).isZero();
        assertThat(vma.isDetached()).isTrue();
        assertThat(mm.platform.anonVma(id)).isNull();
    }

    @Test
    void shouldRefuseFaultsOnAVmaThatIsBeingChanged() {
        final Vma vma = mm.map(10, 20, READ_WRITE);
        final Task other = new Task(2, "fault");
        mm.space.mmapLock().writeLock(mm.task);
        mm.space.editor().modify(mm.task, vma, 12 * PAGE, 15 * PAGE, READ_ONLY);

        for (final Vma part : mm.space.vmas().snapshot()) {
            assertThat(part.lock().tryReadLock(other, mm.space.mmapLock())).isFalse();
        }
        mm.space.mmapLock().writeUnlock(mm.task);
        for (final Vma part : mm.space.vmas().snapshot()) {
            assertThat(part.lock().tryReadLock(other, mm.space.mmapLock())).isTrue();
        }
    }

    // ---- all of it ------------------------------------------------------------------------------------------------

    private static Stream<Arguments> seedsAndProfiles() {
        return Stream.of(1L, 2L, 3L, 4L)
                .flatMap(seed -> Stream.of(SemanticProfile.K612, SemanticProfile.K615)
                        .map(profile -> Arguments.of(seed, profile)));
    }

    /** Random maps, changes, unmaps and first faults against a model that knows each page alone. */
    @ParameterizedTest
    @MethodSource("seedsAndProfiles")
    void shouldKeepWhatIsKnownOfEveryPage(final long seed, final SemanticProfile profile) {
        final MmFixture random = new MmFixture(profile);
        final PageModel model = new PageModel(random);
        final SplittableRandom dice = new SplittableRandom(seed);
        for (int step = 0; step < 1_200; step++) {
            final int first = dice.nextInt(PageModel.PAGES);
            final int end = first + 1 + dice.nextInt(Math.min(12, PageModel.PAGES - first));
            final int choice = dice.nextInt(10);
            if (choice < 3) {
                model.mapIfFree(first, end, PageModel.FLAGS[dice.nextInt(PageModel.FLAGS.length)]);
            } else if (choice < 7) {
                model.modify(first, end, PageModel.FLAGS[dice.nextInt(PageModel.FLAGS.length)]);
            } else if (choice < 8) {
                model.fault(first);
            } else {
                model.unmap(first, end);
            }
            model.check("seed=" + seed + ", profile=" + profile + ", step=" + step);
        }
        model.unmap(0, PageModel.PAGES);
        assertThat(random.space.vmas().size()).isZero();
        model.checkNoAnonVmaIsLeft();
    }

    /** Per page: flags, or -1 where nothing is mapped, and the anon_vma that its frame would refer to. */
    private static final class PageModel {
        private static final int PAGES = 64;
        private static final long[] FLAGS = {READ_WRITE, READ_ONLY, READ_WRITE | VmFlags.DONTCOPY};

        private final MmFixture mm;
        private final long[] flags = new long[PAGES];
        private final AnonVma[] frames = new AnonVma[PAGES];
        private long lastId;

        private PageModel(final MmFixture mm) {
            this.mm = mm;
            Arrays.fill(flags, -1);
        }

        private void mapIfFree(final int first, final int end, final long newFlags) {
            for (int page = first; page < end; page++) {
                if (flags[page] != -1) {
                    return;
                }
            }
            mm.map(first, end, newFlags);
            Arrays.fill(flags, first, end, newFlags);
        }

        /** VMA by VMA, as mprotect does. */
        private void modify(final int first, final int end, final long newFlags) {
            long page = first;
            while (page < end) {
                final Vma vma = mm.space.vmas().lookup(page * PAGE);
                final long to = vma == null ? page + 1 : Math.min(end, vma.end() / PAGE);
                if (vma != null && (vma.flags() & ~VmFlags.SOFTDIRTY) != newFlags) {
                    final Vma changed = mm.modify(page, to, newFlags);
                    assertThat(changed.start()).isLessThanOrEqualTo(page * PAGE);
                    assertThat(changed.end()).isGreaterThanOrEqualTo(to * PAGE);
                    Arrays.fill(flags, (int) page, (int) to, newFlags);
                }
                page = to;
            }
        }

        private void fault(final int page) {
            final Vma vma = mm.space.vmas().lookup(page * PAGE);
            if (vma != null && frames[page] == null) {
                if (vma.anonVma() == null) {
                    mm.prepare(vma);
                }
                frames[page] = vma.anonVma();
                lastId = Math.max(lastId, vma.anonVma().id());
            }
        }

        private void unmap(final int first, final int end) {
            mm.unmap(mm.space, first, end);
            Arrays.fill(flags, first, end, -1);
            Arrays.fill(frames, first, end, null);
        }

        private void check(final String where) {
            for (int page = 0; page < PAGES; page++) {
                final Vma vma = mm.space.vmas().lookup(page * PAGE);
                assertThat(vma != null).as("%s, page %d mapped", where, page).isEqualTo(flags[page] != -1);
                if (vma == null) {
                    continue;
                }
                assertThat(vma.flags() & ~VmFlags.SOFTDIRTY)
                        .as("%s, page %d", where, page)
                        .isEqualTo(flags[page]);
                assertThat(vma.linearIndex(page * PAGE))
                        .as("%s, page %d", where, page)
                        .isEqualTo(page);
                if (frames[page] != null) {
                    // The reverse map still leads from the frame to the page.
                    assertThat(mm.platform.anonVma(frames[page].id())).as(where).isSameAs(frames[page]);
                    assertThat(frames[page].vmas())
                            .as("%s, page %d", where, page)
                            .contains(vma);
                }
            }
            checkMerges(where);
            checkLinks(where);
        }

        /** Unfaulted neighbours with the same flags are always one; a VMA is never empty. */
        private void checkMerges(final String where) {
            Vma previous = null;
            for (final Vma vma : mm.space.vmas().snapshot()) {
                assertThat(vma.end()).as(where).isGreaterThan(vma.start());
                if (previous != null) {
                    assertThat(vma.start()).as(where).isGreaterThanOrEqualTo(previous.end());
                    final boolean mergeable = previous.end() == vma.start()
                            && ((previous.flags() ^ vma.flags()) & ~VmFlags.SOFTDIRTY) == 0
                            && previous.anonVma() == null
                            && vma.anonVma() == null;
                    assertThat(mergeable).as("%s, not merged at %s", where, vma).isFalse();
                }
                previous = vma;
            }
        }

        private void checkLinks(final String where) {
            for (final Vma vma : mm.space.vmas().snapshot()) {
                if (vma.anonVma() == null) {
                    assertThat(vma.chain).as(where).isEmpty();
                    continue;
                }
                assertThat(vma.chain).as(where).containsExactly(vma.anonVma()); // nobody forks here
                assertThat(vma.anonVma().vmas()).as(where).containsOnlyOnce(vma);
                assertThat(vma.anonVma().activeVmas)
                        .as(where)
                        .isEqualTo(vma.anonVma().vmas().size());
                assertThat(vma.anonVma().vmas()).as(where).allMatch(linked -> !linked.isDetached());
            }
        }

        private void checkNoAnonVmaIsLeft() {
            for (long id = 1; id <= lastId; id++) {
                assertThat(mm.platform.anonVma(id)).isNull();
            }
        }
    }
}
