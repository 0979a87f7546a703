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
import mmutex.fault.Signal;
import mmutex.layout.HugePmd;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.MprotectUpgrade;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** munmap, discard, mprotect, fork and moves of huge pages: whole where they may be, split where they must. */
class HugeChangesTest {
    private static final SemanticProfile K612 = SemanticProfile.K612;

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldDiscardAHugePageWhole(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 2);
        final List<Event> events = emulation.record();

        Huge.advise(emulation, 0, PAGES, Advice.DONTNEED);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        assertThat(Huge.isHuge(emulation, PAGES)).isTrue();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES);
        assertThat(emulation.load(0)).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitToDiscardAPart(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();

        Huge.advise(emulation, 100, 10, Advice.DONTNEED);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.CLEAR, 100, 110, 0), new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        assertThat(emulation.process.rssAnonPages()).isEqualTo(PAGES - 10);
        Huge.assertContents(emulation, 0, 100, 0);
        assertThat(emulation.load(105)).isZero();
        Huge.assertContents(emulation, 110, PAGES, 0);
        // The folio keeps its memory until its last page goes.
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(PAGES);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitWhereAMappingIsCut(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();

        assertThat(emulation.process.munmap(emulation.cpu, addr(0), 256 * PAGE)).isEqualTo(Errno.OK);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.CLEAR, 0, PAGES, 0), new Event(NotifierEvent.UNMAP, 0, 256, 0));
        assertThat(emulation.process.rssAnonPages()).isEqualTo(256);
        Huge.assertContents(emulation, 256, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldUnmapWholeHugePagesAndTheirTables() {
        final Emulation emulation = Huge.written(K612, 3);
        final long tables = emulation.platform.tables().inUse();

        assertThat(emulation.process.munmap(emulation.cpu, addr(PAGES), 2 * PAGES * PAGE))
                .isEqualTo(Errno.OK);

        assertThat(emulation.platform.tables().inUse()).isEqualTo(tables - 2); // what was put aside
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- mprotect ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldProtectAHugePageWhole(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();

        emulation.protect(0, PAGES, READ);
        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        assertThat(Huge.isWritable(emulation, 0)).isFalse();
        emulation.protect(0, PAGES, READ_WRITE);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.PROTECTION_VMA, 0, PAGES, 0),
                        new Event(NotifierEvent.PROTECTION_VMA, 0, PAGES, 0));
        assertThat(Huge.isWritable(emulation, 0)).isEqualTo(profile.mprotectUpgrade() == MprotectUpgrade.ALWAYS);
        emulation.store(5, 55);
        assertThat(Huge.isHuge(emulation, 0)).as("reused").isTrue();
        emulation.store(5, 5);
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldTakeAllAccessAndGiveItBack() {
        final Emulation emulation = Huge.written(K612, 1);

        emulation.protect(0, PAGES, 0);
        assertThat(emulation.cpu.loadLong(addr(3))).isEqualTo(Signal.SEGV_ACCERR);
        emulation.protect(0, PAGES, READ_WRITE);

        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitToProtectAPart(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();

        emulation.protect(8, 8, READ);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.CLEAR, 0, PAGES, 0), new Event(NotifierEvent.PROTECTION_VMA, 8, 16, 0));
        assertThat(emulation.isWritable(7)).isTrue();
        assertThat(emulation.isWritable(8)).isFalse();
        assertThat(emulation.isWritable(16)).isTrue();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- fork -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldShareAHugePageWithAChild(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final List<Event> events = emulation.record();

        final Process child = emulation.fork();

        final long pmd = Huge.pmd(emulation.process, 0);
        final long folio = HugePmd.frameNumber(pmd);
        assertThat(events).containsExactly(new Event(NotifierEvent.PROTECTION_PAGE, 0, PAGES, 0));
        assertThat(HugePmd.frameNumber(Huge.pmd(child, 0))).isEqualTo(folio);
        assertThat(HugePmd.isWritable(pmd)).isFalse();
        assertThat(HugePmd.isYoung(Huge.pmd(child, 0))).isFalse();
        assertThat(emulation.frames.refCount(folio)).isEqualTo(2);
        assertThat(emulation.frames.entireMapCount(folio)).isEqualTo(2);
        assertThat(emulation.frames.has(folio, FrameTable.ANON_EXCLUSIVE)).isFalse();
        assertThat(child.rssAnonPages()).isEqualTo(PAGES);
        emulation.assertSound();
        child.exit(emulation.cpu);
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldShareTheHugePageOfZeroesUncounted() {
        final Emulation emulation = Huge.advised(K612, 1);
        emulation.load(0);

        final Process child = emulation.fork();

        assertThat(HugePmd.frameNumber(Huge.pmd(child, 0)))
                .isEqualTo(emulation.platform.hugeZero().current());
        assertThat(child.rssAnonPages()).isZero();
        emulation.assertSound();
        child.exit(emulation.cpu);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldUndoAForkThatFindsNoTable() {
        final Emulation emulation = Huge.written(K612, 3);
        while (emulation.platform.tables().inUse() < 255 - 5) {
            emulation.platform.tables().allocate(0);
        }
        final long frames = emulation.platform.allocator().inUse();

        final Process.Forked forked = emulation.process.fork(emulation.cpu);

        assertThat(forked.errno()).isEqualTo(Errno.ENOMEM);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(frames);
        assertThat(emulation.platform.tables().inUse()).isEqualTo(250);
        Huge.assertContents(emulation, 0, 3 * PAGES, 0);
        emulation.assertSound();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldIsolateParentAndChildPageByPage(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final Process child = emulation.fork();
        final Cpu childCpu = emulation.machine.cpu(1);
        childCpu.run(child);
        for (int page = 0; page < PAGES; page += 3) {
            emulation.store(page, page + 1000);
            assertThat(childCpu.storeLong(addr(page + 1), -1)).isEqualTo(Signal.NONE);
        }
        for (int page = 0; page < PAGES; page++) {
            assertThat(emulation.load(page)).isEqualTo(page % 3 == 0 ? page + 1000 : page);
            childCpu.loadLong(addr(page));
            assertThat(childCpu.value()).isEqualTo(page % 3 == 1 ? -1 : page);
        }
        emulation.assertSound();
        childCpu.run(null);
        child.exit(emulation.cpu);
        Huge.assertNothingIsLeft(emulation);
    }

    // ---- moves ------------------------------------------------------------------------------------------------

    @Test
    void shouldMoveAHugeEntryAsItIs() {
        final Emulation emulation = Huge.written(K612, 1);
        emulation.map(4 * PAGES, PAGES, READ_WRITE);
        final long from = addr(0) / PAGE;
        final long to = addr(4 * PAGES) / PAGE;
        final long pmd = Huge.pmd(emulation.process, 0);

        emulation.space.mmapLock().writeLock(emulation.cpu);
        assertThat(HugePmds.move(emulation.cpu, emulation.space, from, to)).isTrue();
        assertThat(HugePmds.move(emulation.cpu, emulation.space, from, to)).isFalse();
        emulation.space.windows().flush(emulation.cpu);
        emulation.space.mmapLock().writeUnlock(emulation.cpu);

        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        assertThat(Huge.pmd(emulation.process, 4 * PAGES)).isEqualTo(HugePmd.mkSoftDirty(pmd));
        assertThat(emulation.load(4 * PAGES + 7)).isEqualTo(7);
        // The table that was put aside has come along.
        assertThat(emulation.process.madvise(emulation.cpu, addr(4 * PAGES), PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);
        assertThat(emulation.kind(4 * PAGES)).isEqualTo(PteKind.NONE);
        assertThat(emulation.kind(4 * PAGES + 1)).isEqualTo(PteKind.PRESENT);
        Huge.assertNothingIsLeft(emulation);
    }
}
