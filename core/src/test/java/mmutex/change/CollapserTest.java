package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.HugePmd;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CollapserTest {
    private static final SemanticProfile K612 = SemanticProfile.K612;

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    /** Pages [0, 512 * count), small ones, page k holding k. */
    private static Emulation small(final SemanticProfile profile, final int count) {
        return new Emulation(profile, 1 << 13, 256).mapWritten(0, (long) count * PAGES);
    }

    private static Errno collapse(final Emulation emulation, final long first, final long count) {
        return emulation.process.madvise(emulation.cpu, addr(first), count * PAGE, Advice.COLLAPSE);
    }

    /** Pages of one large folio with other ones between them: the folio is locked once. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCollapseALargeFolioThatHasGaps(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        for (final long page : new long[] {1, 2, 7}) {
            emulation.process.madvise(emulation.cpu, addr(page), PAGE, Advice.DONTNEED);
            emulation.store(page, 90 + page);
        }
        assertThat(Huge.isHuge(emulation, 0)).isFalse();

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);

        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.load(7)).isEqualTo(97);
        assertThat(emulation.load(8)).isEqualTo(8);
        Huge.assertNothingIsLeft(emulation);
    }

    /** thp_vma_allowable_order: somewhere a huge page must fit, and somebody must have written. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRefuseMappingsThatCanHaveNone(final SemanticProfile profile) {
        final Emulation emulation = small(profile, 1).map(4 * PAGES, PAGES, READ_WRITE);
        emulation.mapWritten(2 * PAGES, PAGES - 1).mapWritten(6 * PAGES + 1, 2 * PAGES - 2);

        assertThat(collapse(emulation, 4 * PAGES, PAGES)).as("untouched").isEqualTo(Errno.EINVAL);
        assertThat(collapse(emulation, 2 * PAGES, PAGES - 1)).as("too small").isEqualTo(Errno.EINVAL);
        assertThat(collapse(emulation, 6 * PAGES + 1, 2 * PAGES - 2))
                .as("none fits between")
                .isEqualTo(Errno.EINVAL);
        assertThat(collapse(emulation, 1, 4)).as("within one").isEqualTo(Errno.EINVAL);
        assertThat(collapse(emulation, 0, 4)).as("none asked for").isEqualTo(Errno.OK);
        assertThat(emulation.machine.reserveHugePages(emulation.cpu, 1)).isTrue();
        emulation.process.mmapHuge(emulation.cpu, addr(9 * PAGES), PAGES * PAGE, READ_WRITE);
        assertThat(collapse(emulation, 9 * PAGES, PAGES)).as("hugetlb").isEqualTo(Errno.EINVAL);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPutAHugePageInThePlaceOfSmallOnes(final SemanticProfile profile) {
        final Emulation emulation = small(profile, 2);
        final List<Event> events = emulation.record();

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        assertThat(Huge.isWritable(emulation, 0)).isTrue();
        assertThat(Huge.isHuge(emulation, PAGES)).isFalse();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(2 * PAGES);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(2 * PAGES);
        Huge.assertContents(emulation, 0, 2 * PAGES, 0);
        assertThat(collapse(emulation, 0, PAGES)).as("once more").isEqualTo(Errno.OK);
        assertThat(events).hasSize(1);
        emulation.assertNothingIsLeft();
    }

    /** The recorded case: the restore's event, then one over everything; the restore is no fault of the task. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldGiveExclusivePagesBackFirst(final SemanticProfile profile) {
        final Emulation emulation = small(profile, 1);
        final MirrorHandle device = emulation.open(0);
        assertThat(device.exclusive(emulation.cpu, addr(1), 1, DeviceBuffer.ofArray(new byte[4096]))
                        .errno())
                .isEqualTo(Errno.OK);
        final List<Event> events = emulation.record();
        final long faults = emulation.cpu.minorFaults();

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);

        assertThat(events)
                .containsExactly(
                        new Event(profile.restoreEvent(), 1, 2, 0), new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        assertThat(emulation.cpu.minorFaults()).isEqualTo(faults);
        assertThat(device.checkExclusive(emulation.cpu, addr(1), 1).errno()).isEqualTo(Errno.OK);
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldFillHolesWithZeroes() {
        final Emulation emulation = new Emulation(K612, 1 << 12, 64);
        emulation.map(0, PAGES, READ_WRITE);
        emulation.store(5, 55);
        emulation.load(6); // the zero frame

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);

        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
        assertThat(emulation.load(5)).isEqualTo(55);
        assertThat(emulation.load(6)).isZero();
        assertThat(emulation.load(511)).isZero();
        emulation.assertNothingIsLeft();
    }

    /** The pages of a folio that was split come from one lock. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyWhatWasSplit(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        Huge.advise(emulation, 7, 1, Advice.DONTNEED);
        assertThat(Huge.isHuge(emulation, 0)).isFalse();

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);

        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES);
        assertThat(emulation.load(7)).isZero();
        Huge.assertContents(emulation, 8, PAGES, 0);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCopyPagesSharedWithAChild() {
        final Emulation emulation = small(K612, 1);
        final Process child = emulation.fork();
        final Cpu childCpu = emulation.machine.cpu(1);
        childCpu.run(child);
        emulation.store(0, 100); // one page of one's own, so that something is writable

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);
        emulation.store(1, 101);

        childCpu.loadLong(addr(1));
        assertThat(childCpu.value()).isEqualTo(1);
        emulation.assertSound();
        childCpu.run(null);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    // ---- refusals: nothing changes ----------------------------------------------------------------------------

    @Test
    void shouldRefuseRangesThatCantBeHuge() {
        final Emulation emulation = small(K612, 2);

        assertThat(collapse(emulation, 1, PAGES)).as("no whole range").isEqualTo(Errno.OK);
        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.OK);
        Huge.advise(emulation, PAGES, PAGES, Advice.NOHUGEPAGE);
        assertThat(collapse(emulation, PAGES, PAGES)).as("advised against").isEqualTo(Errno.EINVAL);
        emulation.map(4 * PAGES, PAGES, READ_WRITE);
        assertThat(collapse(emulation, 4 * PAGES, PAGES)).as("no table").isEqualTo(Errno.EINVAL);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldRefuseWhenNothingIsWritable() {
        final Emulation emulation = small(K612, 1);
        emulation.protect(0, PAGES, READ);
        final List<Event> events = emulation.record();

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.EINVAL);

        assertThat(events).isEmpty();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldRefusePagesInUse() {
        final Emulation emulation = small(K612, 1);
        final long frame = emulation.frame(17);

        emulation.frames.get(frame);
        assertThat(collapse(emulation, 0, PAGES)).as("referenced").isEqualTo(Errno.EAGAIN);
        emulation.platform.putPage(frame);
        assertThat(emulation.platform.pageLock().tryLock(emulation.cpu, frame)).isTrue();
        assertThat(collapse(emulation, 0, PAGES)).as("locked").isEqualTo(Errno.EAGAIN);
        emulation.platform.unlockPage(emulation.cpu, frame);

        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertNothingIsLeft();
    }

    /** What the first look could not see: a reference that comes before the last one. The table is put back. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPutTheTableBackWhenAPageTurnsOutToBeInUse(final SemanticProfile profile) {
        final Emulation emulation = small(profile, 1);
        final long frame = emulation.frame(300);
        emulation.frames.get(frame);

        assertThat(Collapser.tryCollapse(emulation.cpu, emulation.space, addr(0)))
                .isFalse();

        assertThat(emulation.frame(300)).isEqualTo(frame);
        emulation.platform.putPage(frame);
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertSound();
        assertThat(Collapser.tryCollapse(emulation.cpu, emulation.space, addr(0)))
                .isTrue();
        assertThat(Collapser.tryCollapse(emulation.cpu, emulation.space, addr(0)))
                .as("is huge")
                .isFalse();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldFailWithoutAHugePage() {
        final Emulation emulation = small(K612, 1);
        final List<Long> taken = new ArrayList<>();
        for (long folio = emulation.platform.allocator().allocateCompound();
                folio != FrameAllocator.NONE;
                folio = emulation.platform.allocator().allocateCompound()) {
            taken.add(folio);
        }

        assertThat(collapse(emulation, 0, PAGES)).isEqualTo(Errno.ENOMEM);

        taken.forEach(emulation.platform.allocator()::put);
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldGoOnBehindARangeThatFails() {
        final Emulation emulation = small(K612, 2);
        final long frame = emulation.frame(3);
        emulation.frames.get(frame);

        assertThat(collapse(emulation, 0, 2 * PAGES)).isEqualTo(Errno.EAGAIN);

        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        assertThat(HugePmd.isWritable(Huge.pmd(emulation.process, PAGES))).isTrue();
        emulation.platform.putPage(frame);
        emulation.assertNothingIsLeft();
    }
}
