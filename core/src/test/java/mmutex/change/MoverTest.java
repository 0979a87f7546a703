package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.TableArena;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class MoverTest {
    private static final long FAR = 100;

    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static Errno move(final Emulation emulation, final long from, final long count, final long to) {
        return emulation.process.mremap(emulation.cpu, addr(from), count * PAGE, addr(to), false);
    }

    private static Errno moveKeeping(final Emulation emulation, final long from, final long count, final long to) {
        return emulation.process.mremap(emulation.cpu, addr(from), count * PAGE, addr(to), true);
    }

    private static MirrorHandle exclusive(final Emulation emulation, final long first, final long count) {
        final MirrorHandle handle = emulation.open(0);
        assertThat(handle.exclusive(
                                emulation.cpu, addr(first), count, DeviceBuffer.ofArray(new byte[(int) (count * PAGE)]))
                        .errno())
                .isEqualTo(Errno.OK);
        return handle;
    }

    /** E10: the old range only, and once more when the emptied range is unmapped. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMovePagesAndTellTwice(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 4);
        final long frame = emulation.frame(2);
        final List<Event> events = emulation.record();

        assertThat(move(emulation, 1, 2, FAR)).isEqualTo(Errno.OK);

        assertThat(events)
                .containsExactly(new Event(NotifierEvent.UNMAP, 1, 3, 0), new Event(NotifierEvent.UNMAP, 1, 3, 0));
        assertThat(emulation.frame(FAR + 1)).isEqualTo(frame);
        assertThat(emulation.load(FAR)).isEqualTo(1);
        assertThat(emulation.cpu.loadLong(addr(1))).isEqualTo(Signal.SEGV_MAPERR);
        emulation.assertCounts(FAR + 1, 1, 1);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveExclusiveEntriesBitForBitAsOrphans(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2);
        final MirrorHandle handle = exclusive(emulation, 0, 2);
        final long entry = emulation.pte(1);
        final boolean counted = profile.exclusiveKeepsMapcount();
        final long anonPages = emulation.process.rssAnonPages();

        assertThat(move(emulation, 0, 2, FAR)).isEqualTo(Errno.OK);

        assertThat(emulation.pte(FAR + 1)).isEqualTo(entry);
        emulation.assertCounts(FAR + 1, 1, counted ? 1 : 0);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(anonPages);
        assertThat(handle.checkExclusive(emulation.cpu, addr(0), 2).errno()).isEqualTo(Errno.OK);
        assertThat(emulation.load(FAR + 1)).isEqualTo(1);
        emulation.assertCounts(FAR + 1, 1, 1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldMarkMovedPagesSoftDirty() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        exclusive(emulation, 1, 1);
        SoftDirtyClearer.clear(emulation.cpu, emulation.space);

        move(emulation, 0, 2, FAR);

        assertThat(emulation.encoding.isSoftDirty(emulation.pte(FAR))).isTrue();
        assertThat(emulation.encoding.isSwapSoftDirty(emulation.pte(FAR + 1))).isTrue();
    }

    @Test
    void shouldReplaceWhatIsAtTheDestination() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 1);
        emulation.mapWritten(FAR, 1);

        assertThat(move(emulation, 0, 1, FAR)).isEqualTo(Errno.OK);

        assertThat(emulation.load(FAR)).isZero();
        emulation.assertNothingIsLeft();
    }

    /** Up to 6.16 the destination is gone when the kernel finds that it can't move several VMAs. */
    @ParameterizedTest
    @CsvSource({"K514, EFAULT", "K612, EFAULT", "K615, OK"})
    void shouldMoveSeveralVmasOnlyInLateKernels(final String profile, final Errno expected) {
        final Emulation emulation = new Emulation(SemanticProfile.byName(profile));
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ);
        emulation.mapWritten(3, 1);
        emulation.mapWritten(FAR, 1);

        assertThat(move(emulation, 0, 4, FAR)).isEqualTo(expected);

        if (expected == Errno.OK) {
            assertThat(emulation.load(FAR)).isZero();
            assertThat(emulation.load(FAR + 3)).isEqualTo(3);
            assertThat(emulation.cpu.loadLong(addr(FAR + 2))).isEqualTo(Signal.SEGV_MAPERR); // the hole moves as well
        } else {
            assertThat(emulation.cpu.loadLong(addr(FAR))).isEqualTo(Signal.SEGV_MAPERR);
            assertThat(emulation.load(3)).isEqualTo(3);
        }
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @CsvSource({
        // from, count, to, K612, K615: which check comes first differs
        "0.5, 1, 100, EINVAL, EINVAL",
        "0, 0, 100, EINVAL, EINVAL",
        "0, 2, 1, EINVAL, EINVAL",
        "0, 1, 100.5, EINVAL, EINVAL",
        "50, 1, 100, EFAULT, EFAULT",
        "50, 2, 51, EFAULT, EINVAL",
        "0, 9, 100, EFAULT, OK",
    })
    void shouldCheckRangesInTheKernelsOrder(
            final double from, final long count, final double to, final Errno old, final Errno late) {
        for (final SemanticProfile profile : List.of(SemanticProfile.K612, SemanticProfile.K615)) {
            final Emulation emulation = new Emulation(profile);
            emulation.mapWritten(0, 4);

            assertThat(emulation.process.mremap(
                            emulation.cpu,
                            (long) (addr(0) + from * PAGE),
                            count * PAGE,
                            (long) (addr(0) + to * PAGE),
                            false))
                    .as(profile.name())
                    .isEqualTo(profile == SemanticProfile.K612 ? old : late);
            assertThat(emulation.space.mmapLock().isHeld()).isFalse();
        }
    }

    @Test
    void shouldLeaveTheOldRangeMappedAndEmptyIfAsked() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        emulation.process.mlock(emulation.cpu, addr(0), 2 * PAGE);
        final List<Event> events = emulation.record();

        assertThat(moveKeeping(emulation, 0, 2, FAR)).isEqualTo(Errno.OK);

        assertThat(events).containsExactly(new Event(NotifierEvent.UNMAP, 0, 2, 0));
        assertThat(emulation.load(FAR + 1)).isEqualTo(1);
        assertThat(emulation.load(1)).isZero();
        final Vma old = emulation.space.vmas().lookup(addr(0));
        assertThat(old.anonVma()).isNull(); // all its pages have gone
        assertThat(old.has(VmFlags.LOCKED)).isFalse();
        assertThat(emulation.space.lockedPages().value()).isEqualTo(2);
        emulation.assertNothingIsLeft();
    }

    /** A range without pages takes its new place's page offset, and so merges with what is there, even with itself. */
    @Test
    void shouldMergeUntouchedMemoryAtItsNewPlace() {
        final Emulation emulation = new Emulation();
        emulation.map(0, 4, READ_WRITE);

        assertThat(move(emulation, 0, 2, 4)).isEqualTo(Errno.OK);

        assertThat(emulation.space.vmas().snapshot()).extracting(Vma::start).containsExactly(addr(2));
        emulation.store(5, 7);
        emulation.assertNothingIsLeft();
    }

    /** Pages keep their linear index, and so the reverse map finds them: make converts a moved page. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepMovedPagesFindable(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 4);
        move(emulation, 1, 2, FAR);

        exclusive(emulation, FAR, 2);

        assertThat(emulation.kind(FAR + 1).isDeviceExclusive()).isTrue();
        assertThat(emulation.load(FAR + 1)).isEqualTo(2);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldMovePagesSharedWithAChild() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        final Process child = emulation.fork();

        assertThat(move(emulation, 0, 2, FAR)).isEqualTo(Errno.OK);

        emulation.store(FAR, 9);
        assertThat(emulation.frame(child, 0)).isNotEqualTo(emulation.frame(FAR));
        emulation.assertCounts(FAR + 1, 2, 2);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    /** Without room for a table the pages go back; nothing but the destination is lost. */
    @Test
    void shouldMoveBackIfTablesRunOut() {
        final Emulation emulation = new Emulation(SemanticProfile.K612, 1024, 128);
        emulation.mapWritten(0, 600);
        final List<Long> hoard = new ArrayList<>();
        final TableArena tables = emulation.platform.tables();
        for (long table = tables.allocate(0); table != TableArena.NO_TABLE; table = tables.allocate(0)) {
            hoard.add(table);
        }
        tables.freeChain(hoard.remove(0)); // one table: not enough for a new gigabyte's three

        assertThat(move(emulation, 0, 600, 1 << 24)).isEqualTo(Errno.ENOMEM);

        for (final long page : new long[] {0, 511, 512, 599}) {
            assertThat(emulation.load(page)).isEqualTo(page);
        }
        hoard.forEach(tables::freeChain);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldMoveAdviceWithTheRange() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        emulation.process.madvise(emulation.cpu, addr(0), 2 * PAGE, Advice.DONTFORK);

        move(emulation, 0, 2, FAR);

        assertThat(emulation.space.vmas().lookup(addr(FAR)).has(VmFlags.DONTCOPY))
                .isTrue();
    }
}
