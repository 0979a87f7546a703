package mmutex.conformance;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import mmutex.change.DeviceMigration;
import mmutex.change.DeviceMigration.Selection;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceBuffer;
import mmutex.device.DevicePte;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.memory.FrameAllocator;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A driver whose device has memory of its own, and beside one that has. */
class DriverMemoryCasesTest {
    private static Stream<Setting> settings() {
        return Setting.all();
    }

    /** Moves a page to a memory and back by hand: the part of a driver that only migrates. */
    private static final class Mover {
        private final Emulation emulation;
        private final DeviceMemory memory;

        private Mover(final Emulation emulation, final long owner) {
            this.emulation = emulation;
            this.memory = emulation.platform.newDeviceMemory(owner, this::toRam);
            memory.grow(16);
        }

        private void toDevice(final Task task, final long page) {
            emulation.space.mmapLock().readLock(task);
            final Vma vma = emulation.space.vmas().lookup(addr(page));
            move(task, vma, addr(page), Selection.SYSTEM, FrameAllocator.NONE);
            emulation.space.mmapLock().readUnlock(task);
        }

        private int toRam(final Task task, final Vma vma, final long page, final long pfn) {
            move(task, vma, page, Selection.DEVICE_PRIVATE, pfn);
            return FaultResult.DONE;
        }

        private void move(
                final Task task, final Vma vma, final long start, final Selection selection, final long faultFrame) {
            final DeviceMigration migration = new DeviceMigration(1);
            migration.setup(task, vma, start, start + PAGE, memory.owner(), selection, faultFrame);
            if (migration.isMigrating(0)) {
                final long to = selection == Selection.SYSTEM
                        ? memory.allocate(1)
                        : emulation.platform.allocator().allocate();
                emulation.platform.pageLock().lock(task, to);
                emulation.platform.data().copyFrame(migration.source(0), to);
                migration.destination(0, to);
            }
            migration.commit(task);
            migration.finish(task);
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    @DisplayName("CN-19: a page in the device's own memory is mapped in place")
    void cn19OwnMemory(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        final Emulation emulation = rig.emulation;
        emulation.mapWritten(0, 2);
        final Mover own = new Mover(emulation, rig.device().owner());
        own.toDevice(emulation.cpu, 1);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        final long frame = emulation.frame(1);

        assertThat(rig.fault(1, DeviceAccess.WRITE)).isEqualTo(Errno.OK);

        assertThat(emulation.kind(1)).as("nothing migrates").isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        final long entry = rig.device().table().load(addr(1) / PAGE);
        assertThat(DevicePte.frameNumber(entry)).isEqualTo(frame);
        assertThat(DevicePte.has(entry, DriverRig.PLAIN_WRITE)).isTrue();
        // A CPU brings it back; the device's mapping goes with it, although the event is the device's own: its driver
        // would have to see to that, and this one leaves it to the page's migration.
        rig.on(rig.device(), () -> rig.device().table().erase(rig.device().worker(), addr(1) / PAGE, addr(2) / PAGE));
        assertThat(emulation.load(1)).isEqualTo(1);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("settings")
    @DisplayName("CN-19: a page in another device's memory is brought back")
    void cn19OthersMemory(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        final Emulation emulation = rig.emulation;
        emulation.mapWritten(0, 2);
        final Mover other = new Mover(emulation, rig.device().owner() + 1000);
        other.toDevice(emulation.cpu, 1);

        assertThat(rig.fault(1, DeviceAccess.READ)).isEqualTo(Errno.OK);

        assertThat(emulation.kind(1)).isEqualTo(PteKind.PRESENT);
        assertThat(DevicePte.frameNumber(rig.device().table().load(addr(1) / PAGE)))
                .isEqualTo(emulation.frame(1));
        assertThat(other.memory.inUse()).isZero();
        rig.end();
    }

    /** The cookies of different kinds of devices are different: a foreign MIGRATE event is never taken for an own one. */
    @ParameterizedTest
    @MethodSource("settings")
    void shouldLoseItsMappingToAPageThatMovesToAnotherKindOfDevice(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        final Emulation emulation = rig.emulation;
        emulation.mapWritten(0, 1);
        assertThat(rig.fault(0, DeviceAccess.WRITE)).isEqualTo(Errno.OK);
        final MirrorHandle mirror = emulation.open(0);

        assertThat(mirror.migrateToDevice(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(rig.device().table().load(addr(0) / PAGE)).isEqualTo(DevicePte.NONE);
        rig.end();
    }
}
