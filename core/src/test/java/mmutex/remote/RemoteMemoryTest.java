package mmutex.remote;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RemoteMemoryTest {
    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static byte[] word(final long value) {
        return ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.nativeOrder())
                .putLong(value)
                .array();
    }

    private static long value(final byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong();
    }

    private static void exclusive(final Emulation emulation, final long page) {
        final MirrorHandle handle = emulation.open(0);
        assertThat(handle.exclusive(emulation.cpu, addr(page), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRestoreAnExclusivePageToReadIt(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 8);
        exclusive(emulation, 7);
        final Task debugger = emulation.machine.newTask("debugger");
        final byte[] bytes = new byte[Long.BYTES];

        assertThat(emulation.process.readForced(debugger, addr(7), bytes)).isEqualTo(Long.BYTES);

        assertThat(value(bytes)).isEqualTo(7);
        assertThat(emulation.kind(7)).isEqualTo(PteKind.PRESENT);
        assertThat(debugger.minorFaults()).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    /** FOLL_FORCE: the page is copied or reused, the entry stays read-only. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldForceAWriteIntoAPrivateReadOnlyMapping(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2).protect(0, 2, READ);
        final Process child = emulation.fork();

        assertThat(emulation.process.writeForced(emulation.cpu, addr(1), word(77)))
                .isEqualTo(Long.BYTES);

        assertThat(emulation.load(1)).isEqualTo(77);
        assertThat(emulation.isWritable(1)).isFalse();
        assertThat(emulation.frame(child, 1)).isNotEqualTo(emulation.frame(1));
        assertThat(emulation.frames.has(emulation.frame(1), FrameTable.DIRTY)).isTrue();
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldReachMemoryWithoutPermissionsByForceOnly() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2).protect(0, 2, 0);

        assertThat(emulation.process.readForced(emulation.cpu, addr(1), new byte[8]))
                .isEqualTo(8);
        assertThat(emulation.process.readPinned(emulation.cpu, addr(1), new byte[8]))
                .isZero();
        assertThat(emulation.process.writePinned(emulation.cpu, addr(1), word(3)))
                .isZero();
    }

    @Test
    void shouldTransferUpToTheFirstPageThatIsMissing() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        final byte[] bytes = new byte[3 * (int) PAGE];

        assertThat(emulation.process.readForced(emulation.cpu, addr(0) + 100, bytes))
                .isEqualTo(2 * (int) PAGE - 100);
        assertThat(emulation.process.readPinned(emulation.cpu, addr(5), bytes)).isZero();
        assertThat(emulation.process.readForced(emulation.cpu, -PAGE, bytes)).isZero();
        emulation.assertNothingIsLeft();
    }

    /** A pinned page must stay what the process maps: a shared one is copied although it is only read. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldUnshareAPageToPinIt(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        final long shared = emulation.frame(0);
        final byte[] bytes = new byte[Long.BYTES];

        assertThat(emulation.process.readPinned(emulation.cpu, addr(0), bytes)).isEqualTo(Long.BYTES);

        final boolean unshared = profile.hasAnonExclusive();
        assertThat(emulation.frame(0) != shared).isEqualTo(unshared);
        assertThat(emulation.isWritable(0)).isFalse();
        if (unshared) {
            assertThat(emulation.frames.has(emulation.frame(0), FrameTable.ANON_EXCLUSIVE))
                    .isTrue();
        }
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldUnshareInPlaceWhatNobodyElseHas() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 1);
        emulation.fork().exit(emulation.cpu);
        final long frame = emulation.frame(0);

        emulation.process.readPinned(emulation.cpu, addr(0), new byte[8]);

        assertThat(emulation.frame(0)).isEqualTo(frame);
        assertThat(emulation.frames.has(frame, FrameTable.ANON_EXCLUSIVE)).isTrue();
        assertThat(emulation.isWritable(0)).isFalse();
    }

    /** A child gets its own copy of a pinned page at once: whoever writes through the pin writes to the parent alone. */
    @Test
    void shouldCopyPinnedPagesForAChild() {
        final Emulation emulation = new Emulation();
        emulation.map(0, 1, READ_WRITE);
        emulation.store(0, 5);
        final long frame = emulation.frame(0);
        emulation.frames.pin(frame);

        final Process child = emulation.fork();

        assertThat(emulation.frame(child, 0)).isNotEqualTo(frame);
        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(child.rssAnonPages()).isEqualTo(1);
        emulation.platform.allocator().unpin(frame);
        emulation.assertSound();
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }
}
