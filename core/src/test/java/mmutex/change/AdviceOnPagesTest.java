package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** MADV_FREE, MADV_COLD, MADV_POPULATE_READ and MADV_POPULATE_WRITE. */
class AdviceOnPagesTest {
    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static Errno advise(final Emulation emulation, final long first, final long count, final Advice advice) {
        return emulation.process.madvise(emulation.cpu, addr(first), count * PAGE, advice);
    }

    private static MirrorHandle exclusive(final Emulation emulation, final long first, final int count) {
        final MirrorHandle handle = emulation.open(0);
        handle.exclusive(emulation.cpu, addr(first), count, DeviceBuffer.ofArray(new byte[count * (int) PAGE]));
        return handle;
    }

    // ---- FREE -------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeFreedPagesCleanUntilTheyAreWritten(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2);
        emulation.frames.markDirty(emulation.frame(0));
        final List<Event> events = emulation.record();

        assertThat(advise(emulation, 0, 2, Advice.FREE)).isEqualTo(Errno.OK);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, 2, 0));
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isFalse();
        assertThat(emulation.encoding.isYoung(emulation.pte(0))).isFalse();
        assertThat(emulation.frames.has(emulation.frame(0), FrameTable.DIRTY)).isFalse();
        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(emulation.load(1)).isEqualTo(1);
        emulation.store(0, 5); // not through a translation that was cached as dirty
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isTrue();
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldOrphanExclusivePagesWhenFreed(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2);
        final MirrorHandle handle = exclusive(emulation, 0, 2);
        final long entry = emulation.pte(1);

        assertThat(advise(emulation, 0, 2, Advice.FREE)).isEqualTo(Errno.OK);

        assertThat(emulation.pte(1)).isEqualTo(entry);
        assertThat(handle.checkExclusive(emulation.cpu, addr(0), 2).errno()).isEqualTo(Errno.OK);
        assertThat(emulation.load(1)).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotFreeWhatOthersShareOrHaveLocked(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        emulation.mapWritten(1, 1);
        final long locked = emulation.frame(1);
        emulation.frames.markDirty(locked);
        final Task other = emulation.machine.newTask("other");
        emulation.platform.pageLock().lock(other, locked);

        assertThat(advise(emulation, 0, 2, Advice.FREE)).isEqualTo(Errno.OK);

        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isTrue();
        assertThat(emulation.frames.has(locked, FrameTable.DIRTY)).isTrue();
        emulation.platform.pageLock().unlock(other, locked);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    // ---- COLD -------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldForgetThatColdPagesWereUsedWithoutTellingAnybody(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 3);
        final MirrorHandle handle = exclusive(emulation, 2, 1);
        final List<Event> events = emulation.record();

        assertThat(advise(emulation, 0, 3, Advice.COLD)).isEqualTo(Errno.OK);

        assertThat(events).isEmpty();
        assertThat(emulation.encoding.isYoung(emulation.pte(0))).isFalse();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isTrue();
        assertThat(emulation.kind(2).isDeviceExclusive()).isTrue();
        assertThat(handle.checkExclusive(emulation.cpu, addr(2), 1).errno()).isEqualTo(Errno.EPERM);
        emulation.assertNothingIsLeft();
    }

    // ---- POPULATE ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"V3, EINVAL", "V9, EINVAL", "K514, OK", "K612, OK", "K615, OK"})
    void shouldPopulateForReadingAndWriting(final String profile, final Errno expected) {
        final Emulation emulation = new Emulation(SemanticProfile.byName(profile));
        emulation.map(0, 4, READ_WRITE);

        assertThat(advise(emulation, 0, 2, Advice.POPULATE_READ)).isEqualTo(expected);
        assertThat(advise(emulation, 2, 2, Advice.POPULATE_WRITE)).isEqualTo(expected);

        if (expected == Errno.OK) {
            assertThat(emulation.encoding.isSpecial(emulation.pte(0))).isTrue();
            assertThat(emulation.isWritable(3)).isTrue();
        } else {
            assertThat(emulation.kind(0)).isEqualTo(PteKind.NONE);
        }
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @CsvSource({"K514, true", "K612, false", "K615, false"})
    void shouldGoOnBehindAHoleOrNot(final String profile, final boolean goesOn) {
        final Emulation emulation = new Emulation(SemanticProfile.byName(profile));
        emulation.mapWritten(0, 3);
        exclusive(emulation, 0, 3);
        emulation.process.munmap(emulation.cpu, addr(1), PAGE);

        assertThat(advise(emulation, 0, 3, Advice.POPULATE_READ)).isEqualTo(Errno.ENOMEM);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.kind(2) == PteKind.PRESENT).isEqualTo(goesOn);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @CsvSource({"K514", "K612", "K615"})
    void shouldRefuseToPopulateAgainstTheProtection(final String profile) {
        final Emulation emulation = new Emulation(SemanticProfile.byName(profile), 16, 64);
        emulation.map(0, 1, READ).map(2, 64, READ_WRITE);

        assertThat(advise(emulation, 0, 1, Advice.POPULATE_WRITE)).isEqualTo(Errno.EINVAL);
        assertThat(advise(emulation, 2, 64, Advice.POPULATE_WRITE)).isEqualTo(Errno.ENOMEM);

        emulation.assertNothingIsLeft();
    }
}
