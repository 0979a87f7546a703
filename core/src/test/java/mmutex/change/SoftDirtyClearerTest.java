package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SoftDirtyClearerTest {
    private final Emulation emulation = new Emulation();

    private boolean isSoftDirty(final long page) {
        return emulation.process.pagemap(emulation.cpu, addr(page)).softDirty();
    }

    /** E15: one span over the whole address space. */
    @Test
    void shouldClearAllInOneSpan() {
        emulation.mapWritten(0, 2);
        emulation.mapWritten(8, 1);
        final List<Event> events = emulation.record();

        emulation.process.clearSoftDirty(emulation.cpu);

        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.event()).isEqualTo(NotifierEvent.SOFT_DIRTY);
            assertThat(event.first()).isNegative();
            assertThat(event.end()).isGreaterThan(9);
        });
        assertThat(isSoftDirty(0) || isSoftDirty(8)).isFalse();
        assertThat(emulation.encoding.isDirty(emulation.pte(0)))
                .as("dirtiness is kept")
                .isTrue();
    }

    @Test
    void shouldFindWritesButNotReads() {
        emulation.mapWritten(0, 2);
        emulation.process.clearSoftDirty(emulation.cpu);

        emulation.load(0);
        emulation.store(1, 9);

        assertThat(isSoftDirty(0)).isFalse();
        assertThat(isSoftDirty(1)).isTrue();
        emulation.assertNothingIsLeft();
    }

    /** 3.7: up to 6.14 a restore makes a writable entry dirty, and so soft-dirty; later ones wait for a write. */
    @ParameterizedTest
    @CsvSource({"V9, true", "K514, true", "K612, true", "K615, false"})
    void shouldLeaveExclusiveEntriesButDropTheDevicesMappings(final String name, final boolean dirtyAfterRead) {
        final Emulation other = new Emulation(SemanticProfile.byName(name));
        other.mapWritten(0, 1);
        final MirrorHandle handle = other.open(0);
        handle.exclusive(other.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));

        other.process.clearSoftDirty(other.cpu);

        assertThat(other.kind(0).isDeviceExclusive()).isTrue();
        assertThat(handle.checkExclusive(other.cpu, addr(0), 1).errno()).isEqualTo(Errno.OK);
        other.load(0);
        assertThat(other.process.pagemap(other.cpu, addr(0)).softDirty()).isEqualTo(dirtyAfterRead);
        other.store(0, 5);
        assertThat(other.process.pagemap(other.cpu, addr(0)).softDirty()).isTrue();
        assertThat(other.kind(0)).isEqualTo(PteKind.PRESENT);
        other.assertNothingIsLeft();
    }

    /** Writes through a pin leave no trace in the entry, so a pinned page stays as it is. */
    @Test
    void shouldLeavePinnedPagesAlone() {
        emulation.mapWritten(0, 1);
        emulation.frames.pin(emulation.frame(0));

        emulation.process.clearSoftDirty(emulation.cpu);

        assertThat(emulation.encoding.isSoftDirty(emulation.pte(0))).isTrue();
        assertThat(emulation.isWritable(0)).isTrue();
        emulation.platform.allocator().unpin(emulation.frame(0));
        emulation.assertNothingIsLeft();
    }
}
