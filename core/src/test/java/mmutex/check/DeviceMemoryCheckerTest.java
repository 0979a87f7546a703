package mmutex.check;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import mmutex.change.DeviceMigration;
import mmutex.device.DeviceBuffer;
import mmutex.device.DevicePte;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.memory.FrameAllocator;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The referees see what they are there for: each invariant on device memory and migration, broken on purpose. */
class DeviceMemoryCheckerTest {
    private final Emulation emulation = new Emulation();
    private final Task task = emulation.machine.newTask("breaker");
    private MirrorHandle handle;

    @BeforeEach
    void moveAPage() {
        handle = emulation.open(0);
        emulation.mapWritten(0, 2);
        assertThat(handle.migrateToDevice(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
        emulation.assertSound();
    }

    private void store(final long page, final long pte) {
        emulation.space.pageTable().store(emulation.space.pageTable().slot(addr(page)), pte);
    }

    private void assertViolated(final String invariant, final String what) {
        assertThatThrownBy(emulation::assertSound)
                .isInstanceOf(InvariantViolation.class)
                .hasMessageContaining(invariant + ": ")
                .hasMessageContaining(what);
    }

    @Test
    void shouldSeeAPresentEntryOfADevicePage() {
        store(0, emulation.encoding.present(emulation.frame(0), emulation.encoding.protection(1)));

        assertViolated("I16", "PRESENT entry, but the frame is in a device's memory");
    }

    @Test
    void shouldSeeADevicePrivateEntryOfAnOrdinaryPage() {
        store(1, emulation.encoding.frameEntry(PteKind.DEVICE_PRIVATE_READ, emulation.frame(1)));

        assertViolated("I16", "DEVICE_PRIVATE_READ entry, but the frame is not in a device's memory");
    }

    @Test
    void shouldSeeAMigrationEntryWhosePageIsNotLocked() {
        final DeviceMigration migration = new DeviceMigration(1);
        emulation.space.mmapLock().readLock(task);
        migration.setup(
                task, emulation.space.vmas().lookup(addr(1)), addr(1), addr(2), 5, DeviceMigration.Selection.SYSTEM);
        emulation.space.mmapLock().readUnlock(task);
        new InvariantChecker(emulation.machine).now(emulation.cpu).orThrow();

        emulation.platform.pageLock().unlock(task, migration.source(0));

        assertThatThrownBy(() -> new InvariantChecker(emulation.machine)
                        .now(emulation.cpu)
                        .orThrow())
                .hasMessageContaining("I21: ")
                .hasMessageContaining("MIGRATION_WRITE entry, but the page is not locked");
    }

    @Test
    void shouldSeeADeviceThatMapsAPageThatHasLeft() {
        final long frame = emulation.frame(0);
        emulation.frames.get(frame); // so that the page stays a device's
        store(0, emulation.encoding.empty());
        emulation.space.anonPages().add(-1);
        emulation.frames.addMapCount(frame, -1);

        assertViolated("I13", "maps a page in its memory, the CPU's entry is NONE");
    }

    @Test
    void shouldSeeADeviceThatStillMapsTheZeroPageThatItsOwnReplaced() {
        handle.lock().lock(task);
        handle.table().store(addr(0) / PAGE, DevicePte.of(FrameAllocator.ZERO_FRAME, DevicePte.VALID));
        handle.lock().unlock(task);

        assertViolated("I13", "maps the zero frame, the CPU's entry leads to a device's");
        new InvariantChecker(emulation.machine).with(handle).now(emulation.cpu).orThrow(); // a migration may be running
    }

    @Test
    void shouldSeeADeviceThatWritesAReadOnlyPage() {
        store(0, emulation.encoding.frameEntry(PteKind.DEVICE_PRIVATE_READ, emulation.frame(0)));

        assertViolated("I13", "writes a page in its memory that is read-only");
    }

    @Test
    void shouldSeeAPageOfTheDeviceThatNobodyHas() {
        assertThat(handle.device().memory().allocate(0)).isPositive();

        assertViolated("I4", "refcount 1, entries 0");
        assertThat(handle.device().memory().inUse()).isEqualTo(2);
    }

    @Test
    void shouldSeeAPageThatTheDeviceLostCountOf() {
        emulation.frames.setPrivateWord(emulation.frame(0), 0);

        assertViolated("I4", "device memory 1: in use 1, frames 0");
    }
}
