package mmutex.conformance;

import static mmutex.conformance.DriverRig.ATOMIC;
import static mmutex.conformance.DriverRig.PLAIN_WRITE;
import static mmutex.conformance.DriverRig.once;
import static mmutex.machine.Emulation.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.CancelReason;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DriverSpec;
import mmutex.device.LaneProgram;
import mmutex.device.RetryPolicy;
import mmutex.layout.PteKind;
import mmutex.mm.Quirk;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Batches of faults: order, duplicates, replay, overflow. */
@HangGuard
class DriverBatchCasesTest {
    private static Stream<Setting> withOwner() {
        return Setting.withOwner();
    }

    /** Every kind of fault on one page, as they come in. */
    private static LaneProgram[] everyKindOn(final long page, final List<DeviceAccess> order) {
        return order.stream().map(access -> once(page, access)).toArray(LaneProgram[]::new);
    }

    /** All 24 orders in which they can come. */
    private static List<List<DeviceAccess>> orders() {
        final List<List<DeviceAccess>> orders = new ArrayList<>();
        permute(new ArrayList<>(), orders);
        return orders;
    }

    private static void permute(final List<DeviceAccess> order, final List<List<DeviceAccess>> orders) {
        if (order.size() == DeviceAccess.values().length) {
            orders.add(List.copyOf(order));
        }
        for (final DeviceAccess access : DeviceAccess.values()) {
            if (!order.contains(access)) {
                order.add(access);
                permute(order, orders);
                order.remove(access);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-10: every kind of fault on one page, in all orders: the strongest serves all")
    void cn10StrongestFirst(final Setting setting) {
        final List<List<DeviceAccess>> orders = orders();
        assertThat(orders).hasSize(24);
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.map(0, orders.size(), READ_WRITE);
        for (int page = 0; page < orders.size(); page++) {
            rig.run(rig.device(), everyKindOn(page, orders.get(page)));

            rig.assertMaps(rig.device(), page, ATOMIC);
            assertThat(rig.device().driver().replays()).isEqualTo(page + 1);
            assertThat(rig.device().driver().faultsResolved()).isEqualTo(4L * (page + 1));
            assertThat(rig.device().lanes()).noneMatch(DeviceLane::isCancelled);
        }
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-10, Q5: in all orders the weakest is served, what it does not help has to fault again")
    void cn10WeakestFirst(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.PREFAULT, Quirk.STICKY_ATOMIC);
        final List<List<DeviceAccess>> orders = orders();
        final int count = orders.size();
        rig.emulation.map(0, count, READ_WRITE);
        rig.emulation.mapWritten(count, count);
        long replays = 0;
        long resolved = 0;
        for (int page = 0; page < count; page++) {
            rig.run(rig.device(), everyKindOn(page, orders.get(page)));
            // Nothing there for the prefetch; the read gets the zero page; the write a page; and the atomic that page.
            replays += 4;
            resolved += 4 + 3 + 2 + 1;
            assertThat(rig.device().driver().replays()).isEqualTo(replays);
            assertThat(rig.device().driver().faultsResolved()).isEqualTo(resolved);
            rig.assertMaps(rig.device(), page, ATOMIC);

            rig.run(rig.device(), everyKindOn(count + page, orders.get(page)));
            // The prefetch maps the page as it is, writable: enough for all but the atomic.
            replays += 2;
            resolved += 4 + 1;
            assertThat(rig.device().driver().replays()).isEqualTo(replays);
            assertThat(rig.device().driver().faultsResolved()).isEqualTo(resolved);
            rig.assertMaps(rig.device(), count + page, ATOMIC);
            assertThat(rig.device().lanes()).noneMatch(DeviceLane::isCancelled);
        }
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-11: a read beside an atomic stays a read")
    void cn11EachByItsKind(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(1, 2);

        rig.run(rig.device(), once(1, DeviceAccess.ATOMIC), once(2, DeviceAccess.READ));

        rig.assertMaps(rig.device(), 1, ATOMIC);
        rig.assertMaps(rig.device(), 2, PLAIN_WRITE);
        assertThat(rig.emulation.kind(2)).isEqualTo(PteKind.PRESENT);
        assertThat(rig.device().driver().replays()).isEqualTo(1);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-11, Q5: what follows an atomic is handled as one; the next batch begins anew")
    void cn11StickyAtomic(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.PREFAULT, Quirk.STICKY_ATOMIC);
        rig.emulation.mapWritten(0, 4);

        rig.run(rig.device(), once(0, DeviceAccess.READ), once(1, DeviceAccess.ATOMIC), once(2, DeviceAccess.READ));

        rig.assertMaps(rig.device(), 0, PLAIN_WRITE); // before the atomic
        rig.assertMaps(rig.device(), 1, ATOMIC);
        rig.assertMaps(rig.device(), 2, ATOMIC);
        rig.run(rig.device(), once(3, DeviceAccess.READ));
        rig.assertMaps(rig.device(), 3, PLAIN_WRITE);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("Q5: a failure takes no duplicate along that wanted more than nothing")
    void cn11FailureAsCoded(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.PREFAULT, Quirk.STICKY_ATOMIC);

        rig.run(rig.device(), once(0, DeviceAccess.READ), once(0, DeviceAccess.ATOMIC), once(0, DeviceAccess.PREFETCH));

        // The prefetch of nothing succeeds and takes both others along; they fault again, and are killed one by one.
        assertThat(rig.device().lanes().stream().limit(3).map(DeviceLane::cancelReason))
                .containsExactly(CancelReason.NO_PAGE, CancelReason.NO_PAGE, null);
        assertThat(rig.device().driver().replays()).isEqualTo(1);
        assertThat(rig.device().driver().faultsCancelled()).isEqualTo(2);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("a full fault buffer drops faults; their lanes fault again")
    void overflow(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, DriverSpec.defaults().withFaultCapacity(2));
        rig.emulation.mapWritten(0, 8);
        final LaneProgram[] programs = new LaneProgram[8];
        for (int i = 0; i < programs.length; i++) {
            programs[i] = once(i, DeviceAccess.ATOMIC);
        }

        rig.run(rig.device(), programs);

        assertThat(rig.device().lanes()).noneMatch(DeviceLane::isCancelled);
        assertThat(rig.device().lanes().stream()
                        .mapToLong(DeviceLane::operations)
                        .sum())
                .isEqualTo(8);
        assertThat(rig.device().lanes().stream()
                        .mapToLong(DeviceLane::overflows)
                        .sum())
                .isGreaterThanOrEqualTo(6);
        assertThat(rig.device().driver().replays()).isGreaterThanOrEqualTo(4);
        for (int i = 0; i < programs.length; i++) {
            rig.assertMaps(rig.device(), i, ATOMIC);
        }
        rig.end();
    }
}
