package mmutex.change;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.device.DeviceAccess;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.File;
import mmutex.machine.Huge;
import mmutex.machine.MachineSpec;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The OOM reaper: takes what it can have without waiting. */
@HangGuard
class ReaperTest {
    private static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldTakeThePagesOfEveryVma(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2).mapWritten(8, 1).map(20, 1, READ_WRITE);
        final List<Event> events = emulation.record();

        assertThat(Reaper.reap(emulation.machine.newTask("reaper"), emulation.space))
                .isEqualTo(Errno.OK);

        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.UNMAP, 0, 2, 0),
                        new Event(NotifierEvent.UNMAP, 8, 9, 0),
                        new Event(NotifierEvent.UNMAP, 20, 21, 0));
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.process.rssAnonPages()).isZero();
        // What is lost does not come back as zeroes.
        assertThat(emulation.cpu.loadLong(addr(0))).isEqualTo(Signal.BUS_ADRERR);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotLetAHugePageComeBackAsZeroes(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 2);

        assertThat(Reaper.reap(emulation.machine.newTask("reaper"), emulation.space))
                .isEqualTo(Errno.OK);

        assertThat(emulation.cpu.loadLong(addr(0))).isEqualTo(Signal.BUS_ADRERR);
        assertThat(emulation.cpu.storeLong(addr(Huge.PAGES), 1)).isEqualTo(Signal.BUS_ADRERR);
        assertThat(emulation.platform.allocator().inUse())
                .as("but the zeroes")
                .isEqualTo(emulation.platform.hugeZero().current() == 0 ? 0 : Huge.PAGES);
        Huge.assertNothingIsLeft(emulation);
    }

    /** finish_fault: the file's page is not what the process had there. */
    @Test
    void shouldNotLetTheFilesPageComeBackForAPrivateCopy() {
        final Emulation emulation = new Emulation();
        final File file = emulation.machine.newFile(emulation.cpu, 2);
        assertThat(emulation.process.mmapFile(emulation.cpu, addr(0), 2 * PAGE, READ_WRITE, file, 0, false))
                .isEqualTo(Errno.OK);
        emulation.store(0, 1);

        assertThat(Reaper.reap(emulation.cpu, emulation.space)).isEqualTo(Errno.OK);

        assertThat(emulation.cpu.storeLong(addr(0), 1)).isEqualTo(Signal.BUS_ADRERR);
        // Read of a page that is not cached yet; fault-around, of those that are, does not ask.
        assertThat(emulation.cpu.loadLong(addr(1))).isEqualTo(Signal.BUS_ADRERR);
        file.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldTakeExclusivePagesToo() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 1);
        final SvmDevice device = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> 0);
        assertThat(device.driver().resolve(device.worker(), addr(0), DeviceAccess.ATOMIC))
                .isEqualTo(Errno.OK);
        emulation.machine.removeDevice(emulation.cpu, device);
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();

        assertThat(Reaper.reap(emulation.cpu, emulation.space)).isEqualTo(Errno.OK);

        assertThat(emulation.platform.allocator().inUse()).isZero();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldLeaveOnlyTheVmaThatSomebodyWouldHaveToWaitFor() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 1).mapWritten(4, 1).mapWritten(8, 1);
        final IntervalSubscription busy =
                new IntervalSubscription((actor, guard, range, sequence) -> range.isBlockable());
        emulation.space.insert(emulation.cpu, busy, addr(4), PAGE);

        assertThat(Reaper.reap(emulation.cpu, emulation.space)).isEqualTo(Errno.EAGAIN);

        assertThat(emulation.pte(0)).isEqualTo(emulation.encoding.empty());
        assertThat(emulation.load(4)).isEqualTo(4);
        assertThat(emulation.pte(8)).isEqualTo(emulation.encoding.empty());
        emulation.space.notifiers().remove(emulation.cpu, busy);
        assertThat(Reaper.reap(emulation.cpu, emulation.space)).isEqualTo(Errno.OK);
        assertThat(emulation.platform.allocator().inUse()).isZero();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldNotWaitForTheMmapLock() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 1);
        final Task reaper = emulation.machine.newTask("reaper");
        emulation.space.mmapLock().writeLock(emulation.cpu);
        assertThat(Reaper.reap(reaper, emulation.space)).isEqualTo(Errno.EAGAIN);
        emulation.space.mmapLock().writeUnlock(emulation.cpu);
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldFindNothingInASpaceThatIsGone() {
        final Emulation emulation =
                new Emulation(new MachineSpec(SemanticProfile.K612, "x86-64", Delivery.INLINE, 1, 64, 64, 4));
        emulation.mapWritten(0, 1);
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);
        assertThat(Reaper.reap(emulation.cpu, emulation.space)).isEqualTo(Errno.OK);
    }
}
