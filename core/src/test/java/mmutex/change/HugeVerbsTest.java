package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.fault.GupFlags;
import mmutex.fault.PageGetter;
import mmutex.layout.HugePmd;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.machine.UserFaultFd;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.UserFaults;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the rarer system calls make of huge pages. */
class HugeVerbsTest {
    private static final SemanticProfile K612 = SemanticProfile.K612;

    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    private static void move(final Emulation emulation, final long from, final long to, final long count) {
        assertThat(emulation.process.mremap(emulation.cpu, addr(from), count * PAGE, addr(to), false))
                .isEqualTo(Errno.OK);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveAHugePageWhole(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));

        move(emulation, 0, 4 * PAGES, PAGES);

        assertThat(HugePmd.frameNumber(Huge.pmd(emulation.process, 4 * PAGES))).isEqualTo(folio);
        assertThat(emulation.load(4 * PAGES + 7)).isEqualTo(7);
        Huge.advise(emulation, 4 * PAGES, 1, Advice.DONTNEED); // and it can still be split
        assertThat(emulation.load(4 * PAGES + 1)).isEqualTo(1);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitWhatMovesToAnotherOffset(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);

        move(emulation, 0, 4 * PAGES + 3, PAGES);

        for (int page = 0; page < PAGES; page++) {
            assertThat(emulation.load(4 * PAGES + 3 + page)).isEqualTo(page);
        }
        Huge.assertNothingIsLeft(emulation);
    }

    /** Across the boundary of two leaf tables: one walk, two locks. */
    @Test
    void shouldConvertAFolioThatLiesInTwoTables() {
        final Emulation emulation = Huge.written(K612, 1);
        move(emulation, 0, 4 * PAGES + 256, PAGES);
        final long[] pages = new long[1];
        final List<Event> events = emulation.record();

        emulation.space.mmapLock().readLock(emulation.cpu);
        ExclusiveMaker.makeRange(emulation.cpu, emulation.space, addr(4 * PAGES + 256), 1, 7, pages);
        emulation.space.mmapLock().readUnlock(emulation.cpu);

        assertThat(pages[0]).isNotZero();
        assertThat(events).containsExactly(new Event(NotifierEvent.EXCLUSIVE, 4 * PAGES + 256, 5 * PAGES + 256, 7));
        assertThat(emulation.kind(4 * PAGES + 256).isDeviceExclusive()).isTrue();
        assertThat(emulation.kind(5 * PAGES + 255).isDeviceExclusive()).isTrue();
        emulation.platform.unlockPage(emulation.cpu, pages[0]);
        emulation.platform.putPage(pages[0]);
        emulation.assertSound();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldForgetUseOfAHugePageWhole() {
        final Emulation emulation = Huge.written(K612, 1);

        Huge.advise(emulation, 0, PAGES, Advice.COLD);

        assertThat(HugePmd.isYoung(Huge.pmd(emulation.process, 0))).isFalse();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.advise(emulation, 0, 5, Advice.COLD);
        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldFreeAHugePageLazily() {
        final Emulation emulation = Huge.written(K612, 1);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));

        Huge.advise(emulation, 0, PAGES, Advice.FREE);

        assertThat(HugePmd.isDirty(Huge.pmd(emulation.process, 0))).isFalse();
        assertThat(emulation.frames.has(folio, FrameTable.LAZY_FREE)).isTrue();
        emulation.store(3, 33);
        assertThat(HugePmd.isDirty(Huge.pmd(emulation.process, 0)))
                .as("written again")
                .isTrue();
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldClearSoftDirtyOfAHugePageWhole() {
        final Emulation emulation = Huge.written(K612, 1);

        emulation.process.clearSoftDirty(emulation.cpu);
        assertThat(Huge.state(emulation, 9).softDirty()).isFalse();
        assertThat(HugePmd.isDirty(Huge.pmd(emulation.process, 9)))
                .as("dirty stays")
                .isTrue();
        emulation.store(9, 9);

        assertThat(Huge.isHuge(emulation, 9)).isTrue();
        assertThat(Huge.state(emulation, 10).softDirty())
                .as("of all pages, as the entry is one")
                .isTrue();
        emulation.process.clearSoftDirty(emulation.cpu);
        Huge.advise(emulation, 0, 1, Advice.DONTNEED);
        assertThat(Huge.state(emulation, 10).softDirty())
                .as("a split makes dirty pages so")
                .isTrue();
        Huge.assertContents(emulation, 1, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @Test
    void shouldReportHugePagesAsResident() {
        final Emulation emulation = Huge.advised(K612, 2);
        emulation.store(0, 1);
        final byte[] vec = new byte[4];

        assertThat(emulation.process.mincore(emulation.cpu, addr(PAGES - 2), 4, vec))
                .isEqualTo(Errno.OK);

        assertThat(vec).containsExactly(1, 1, 0, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    /** Write-protected whole for a handler, a part of it opened again by whoever answers: then it is split. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldWriteProtectAHugePageForAHandler(final SemanticProfile profile) throws Exception {
        final Emulation emulation = Huge.written(profile, 1);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        assertThat(fd.register(emulation.cpu, addr(0), PAGES * PAGE, false, true))
                .isEqualTo(Errno.OK);
        assertThat(fd.writeProtect(emulation.cpu, addr(0), PAGES * PAGE, true)).isEqualTo(Errno.OK);
        assertThat(HugePmd.isUffdWp(Huge.pmd(emulation.process, 0))).isTrue();
        final Crew crew = new Crew();
        final Task handler = emulation.machine.newTask("handler");
        crew.start("handler", () -> {
            final UserFaults.Message fault = fd.await(handler);
            assertThat(fault.writeProtect()).isTrue();
            assertThat(fault.addr()).isEqualTo(addr(9));
            fd.writeProtect(handler, fault.addr(), PAGE, false);
        });

        emulation.store(9, 99);

        crew.join();
        assertThat(Huge.isHuge(emulation, 9)).isFalse();
        assertThat(emulation.encoding.isUffdWp(emulation.pte(8))).isTrue();
        assertThat(emulation.encoding.isUffdWp(emulation.pte(9))).isFalse();
        assertThat(emulation.load(9)).isEqualTo(99);
        fd.close(emulation.cpu);
        Huge.assertNothingIsLeft(emulation);
    }

    /** A huge page is taken apart, all of it, and its pages move one by one. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMovePagesOfAHugePageToADevice(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle device = emulation.open(0);
        final List<Event> events = emulation.record();

        final MirrorHandle.Result result =
                device.migrateToDevice(emulation.cpu, addr(0), 4, DeviceBuffer.ofArray(new byte[4 * (int) PAGE]));

        assertThat(result.errno()).isEqualTo(Errno.OK);
        assertThat(result.cpages()).isEqualTo(4);
        assertThat(events.get(0).event()).isEqualTo(NotifierEvent.MIGRATE);
        assertThat(events.get(1)).isEqualTo(new Event(NotifierEvent.CLEAR, 0, PAGES, 0));
        for (int page = 0; page < PAGES; page++) {
            assertThat(emulation.kind(page).isDevicePrivate())
                    .as("page %d", page)
                    .isEqualTo(page < 4);
        }
        assertThat(emulation.frames.isLarge(emulation.frame(4))).isFalse();
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertSound();
    }

    /** Of pages that single entries map the kernel can't tell that they could go together: they stay. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeavePagesOfALargeFolioWhereTheyAre(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        emulation.protect(5, 1, READ);
        final MirrorHandle device = emulation.open(0);

        device.migrateToDevice(emulation.cpu, addr(0), 4, DeviceBuffer.ofArray(new byte[4 * (int) PAGE]));

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.frames.isLarge(emulation.frame(0))).isTrue();
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertSound();
    }

    /** Somebody uses one of its pages: nothing of it moves, and it stays as it was. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeaveAHugePageInUseWhereItIs(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle device = emulation.open(0);
        final long folio = HugePmd.frameNumber(Huge.pmd(emulation.process, 0));
        emulation.frames.get(folio + 9);

        device.migrateToDevice(emulation.cpu, addr(0), 4, DeviceBuffer.ofArray(new byte[4 * (int) PAGE]));

        emulation.platform.putPage(folio + 9);
        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        final Task other = emulation.machine.newTask("other");
        emulation.platform.pageLock().lock(other, folio);
        device.migrateToDevice(emulation.cpu, addr(0), 4, DeviceBuffer.ofArray(new byte[4 * (int) PAGE]));
        emulation.platform.pageLock().unlock(other, folio);
        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        Huge.assertContents(emulation, 0, PAGES, 0);
        emulation.assertSound();
    }

    /** A pinned page stays the parent's: the child gets copies at once. */
    @Test
    void shouldCopyAPinnedHugePageAtFork() {
        final Emulation emulation = Huge.written(K612, 1);
        final long[] pages = new long[1];
        emulation.space.mmapLock().readLock(emulation.cpu);
        assertThat(PageGetter.getPages(
                        emulation.cpu, emulation.space, addr(6), 1, GupFlags.WRITE | GupFlags.PIN, pages))
                .isEqualTo(1);
        emulation.space.mmapLock().readUnlock(emulation.cpu);
        assertThat(Huge.isHuge(emulation, 6)).isTrue();

        final Process child = emulation.fork();

        assertThat(emulation.frame(6)).isEqualTo(pages[0]);
        assertThat(emulation.isWritable(6)).isTrue();
        final Cpu childCpu = emulation.machine.cpu(1);
        childCpu.run(child);
        emulation.store(6, 66);
        childCpu.loadLong(addr(6));
        assertThat(childCpu.value()).isEqualTo(6);
        emulation.platform.allocator().unpin(pages[0]);
        emulation.assertSound();
        childCpu.run(null);
        child.exit(emulation.cpu);
        Huge.assertNothingIsLeft(emulation);
    }
}
