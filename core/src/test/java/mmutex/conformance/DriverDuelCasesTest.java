package mmutex.conformance;

import static mmutex.conformance.DriverRig.ATOMIC;
import static mmutex.conformance.DriverRig.PLAIN_WRITE;
import static mmutex.conformance.DriverRig.adder;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mmutex.check.InvariantChecker;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DevicePte;
import mmutex.device.RetryPolicy;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation.Event;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierEvent;
import mmutex.notify.Protocol;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several devices on one page. */
@HangGuard
class DriverDuelCasesTest {
    private static Stream<Setting> all() {
        return Setting.all();
    }

    private static Stream<Setting> withOwner() {
        return Setting.withOwner();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-13: two devices take one page from each other, in turns")
    void cn13InTurns(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 2);
        final SvmDevice first = rig.devices.get(0);
        final SvmDevice second = rig.devices.get(1);
        rig.emulation.mapWritten(0, 1);
        for (int turn = 0; turn < 4; turn++) {
            final SvmDevice taker = turn % 2 == 0 ? first : second;
            final SvmDevice loser = turn % 2 == 0 ? second : first;

            rig.run(taker, adder(addr(0), 10));

            rig.assertMaps(taker, 0, ATOMIC);
            assertThat(rig.entry(loser, 0)).isEqualTo(DevicePte.NONE);
            new InvariantChecker(rig.emulation.machine).now(rig.emulation.cpu).orThrow(); // I3
        }
        assertThat(rig.emulation.load(0)).isEqualTo(40);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-13: two devices and a CPU at once: no increment is lost (I7)")
    void cn13AtOnce(final Setting setting) throws InterruptedException {
        duel(new DriverRig(setting, 2), 200, 1);
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-13: the same, pages reused where they still are exclusive")
    void cn13Reuse(final Setting setting) throws InterruptedException {
        duel(new DriverRig(setting, 2, RetryPolicy.CHECK_AND_REUSE), 100, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 5, 8})
    @DisplayName("CN-13: up to eight devices, with and without a CPU")
    void cn13ManyDevices(final int devices) throws InterruptedException {
        for (final Delivery delivery : Delivery.values()) {
            final Setting setting = new Setting(SemanticProfile.K615, delivery, Protocol.INTERVAL);
            duel(new DriverRig(setting, devices), 48, devices % 2);
        }
    }

    private static void duel(final DriverRig rig, final int each, final int cpus) throws InterruptedException {
        rig.emulation.map(0, 1, READ_WRITE);
        final Crew crew = new Crew();
        crew.startTogether(rig.devices.size() + cpus, number -> {
            if (number < rig.devices.size()) {
                final SvmDevice device = rig.devices.get(number);
                rig.run(device, adder(addr(0), each), adder(addr(0), each));
                return;
            }
            final Cpu cpu = rig.emulation.machine.cpu(1);
            cpu.run(rig.emulation.process);
            for (int i = 0; i < each; i++) {
                assertThat(cpu.fetchAddLong(addr(0), 1)).isEqualTo(Signal.NONE);
            }
            cpu.run(null);
        });
        crew.join();

        rig.devices.forEach(device -> assertThat(device.lanes()).noneMatch(DeviceLane::isCancelled));
        assertThat(rig.emulation.load(0)).isEqualTo((2L * rig.devices.size() + cpus) * each);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-14: a conversion takes another device's plain mapping")
    void cn14PlainMapping(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 2);
        rig.emulation.mapWritten(0, 1);
        assertThat(rig.fault(rig.devices.get(0), 0, DeviceAccess.WRITE)).isEqualTo(Errno.OK);
        rig.assertMaps(rig.devices.get(0), 0, PLAIN_WRITE);
        final List<Event> events = rig.emulation.record();

        assertThat(rig.fault(rig.devices.get(1), 0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        final boolean owned = setting.profile().makeEvent() == NotifierEvent.EXCLUSIVE;
        assertThat(events)
                .containsExactly(new Event(
                        setting.profile().makeEvent(),
                        0,
                        1,
                        owned ? rig.devices.get(1).owner() : 0));

        assertThat(rig.entry(rig.devices.get(0), 0)).isEqualTo(DevicePte.NONE);
        rig.assertMaps(rig.devices.get(1), 0, ATOMIC);
        assertThat(rig.devices.get(1).driver().retries()).isZero();
        rig.end();
    }

    /** The driver's form of it: the second device's first round collides with the restore that it causes (R9). */
    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CX-6: a second device takes four pages: restore, then conversion, of each")
    void cx6SecondDevice(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 2);
        rig.emulation.mapWritten(0, 4);
        final SvmDevice second = rig.devices.get(1);
        IntStream.range(0, 4).forEach(page -> rig.fault(page, DeviceAccess.ATOMIC));
        final List<Event> events = rig.emulation.record();

        IntStream.range(0, 4).forEach(page -> rig.fault(second, page, DeviceAccess.ATOMIC));

        rig.assertMapsNothing(rig.devices.get(0));
        final SemanticProfile profile = setting.profile();
        for (int page = 0; page < 4; page++) {
            rig.assertMaps(second, page, ATOMIC);
            final Event restore = new Event(profile.restoreEvent(), page, page + 1L, 0);
            final Event make = new Event(profile.makeEvent(), page, page + 1L, second.owner());
            // Round one, the repair, round two.
            assertThat(events.subList(4 * page, 4 * page + 4)).containsExactly(restore, make, restore, make);
        }
        assertThat(events).hasSize(16);
        assertThat(second.driver().retries()).isEqualTo(4);
        rig.end();
    }
}
