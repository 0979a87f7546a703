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
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LockerTest {
    private final Emulation emulation = new Emulation();

    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private Errno lock(final long first, final long count) {
        return emulation.process.mlock(emulation.cpu, addr(first), count * PAGE);
    }

    @Test
    void shouldBringMemoryInAsItMayBeUsed() {
        emulation.map(0, 2, READ_WRITE).map(4, 1, READ);

        assertThat(lock(0, 2)).isEqualTo(Errno.OK);
        assertThat(lock(4, 1)).isEqualTo(Errno.OK);

        assertThat(emulation.isWritable(1)).isTrue();
        assertThat(emulation.encoding.isSpecial(emulation.pte(4))).isTrue(); // the zero page
        assertThat(emulation.space.lockedPages().value()).isEqualTo(3);
        assertThat(emulation.cpu.minorFaults()).isEqualTo(3);
        assertThat(emulation.process.munlock(emulation.cpu, addr(0), 2 * PAGE)).isEqualTo(Errno.OK);
        assertThat(emulation.space.lockedPages().value()).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestoreExclusivePages(final SemanticProfile profile) {
        final Emulation other = new Emulation(profile);
        other.mapWritten(0, 2);
        final MirrorHandle handle = other.open(0);
        handle.exclusive(other.cpu, addr(0), 2, DeviceBuffer.ofArray(new byte[2 * (int) PAGE]));

        assertThat(other.process.mlock(other.cpu, addr(0), 2 * PAGE)).isEqualTo(Errno.OK);

        assertThat(other.kind(1)).isEqualTo(PteKind.PRESENT);
        assertThat(handle.checkExclusive(other.cpu, addr(0), 2).errno()).isEqualTo(Errno.OK);
        other.assertNothingIsLeft();
    }

    @Test
    void shouldStopAtAHoleAndKeepWhatWasLockedBefore() {
        emulation.map(0, 1, READ_WRITE).map(2, 1, READ_WRITE);

        assertThat(lock(0, 3)).isEqualTo(Errno.ENOMEM);

        assertThat(emulation.space.vmas().lookup(addr(0)).has(VmFlags.LOCKED)).isTrue();
        assertThat(emulation.space.vmas().lookup(addr(2)).has(VmFlags.LOCKED)).isFalse();
        assertThat(emulation.kind(0)).isEqualTo(PteKind.NONE); // nothing is brought in then
    }

    @Test
    void shouldReportMemoryWithoutAnyPermission() {
        emulation.map(0, 1, 0);

        assertThat(lock(0, 1)).isEqualTo(Errno.ENOMEM);
    }

    @Test
    void shouldReportThatFramesRanOut() {
        final Emulation small = new Emulation(SemanticProfile.K612, 16, 64);
        small.map(0, 64, READ_WRITE);

        assertThat(small.process.mlock(small.cpu, addr(0), 64 * PAGE)).isEqualTo(Errno.EAGAIN);

        small.assertNothingIsLeft();
    }

    @Test
    void shouldCountLockedPagesOnce() {
        emulation.mapWritten(0, 4);
        lock(0, 3);
        lock(1, 3);
        assertThat(emulation.space.lockedPages().value()).isEqualTo(4);

        emulation.process.munlock(emulation.cpu, addr(1), PAGE);
        emulation.process.munmap(emulation.cpu, addr(2), PAGE);

        assertThat(emulation.space.lockedPages().value()).isEqualTo(2);
    }

    @Test
    void shouldNotPassLocksOnToChildrenNorDiscardLockedMemory() {
        emulation.mapWritten(0, 1);
        lock(0, 1);

        final Process child = emulation.fork();

        assertThat(child.space().vmas().lookup(addr(0)).has(VmFlags.LOCKED)).isFalse();
        assertThat(child.space().lockedPages().value()).isZero();
        for (final Advice advice : List.of(Advice.DONTNEED, Advice.FREE, Advice.COLD)) {
            assertThat(emulation.process.madvise(emulation.cpu, addr(0), PAGE, advice))
                    .as(advice.name())
                    .isEqualTo(Errno.EINVAL);
        }
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    /** Private locked memory that becomes writable is copied at once. */
    @Test
    void shouldBreakSharingWhenLockedMemoryBecomesWritable() {
        emulation.mapWritten(0, 1).protect(0, 1, READ);
        lock(0, 1);
        final Process child = emulation.fork();

        emulation.protect(0, 1, READ_WRITE);

        assertThat(emulation.frame(0)).isNotEqualTo(emulation.frame(child, 0));
        assertThat(emulation.isWritable(0)).isTrue();
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }
}
