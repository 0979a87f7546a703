package mmutex.conformance;

import static mmutex.conformance.DriverRig.ATOMIC;
import static mmutex.conformance.DriverRig.MILLISECOND;
import static mmutex.conformance.DriverRig.PLAIN_WRITE;
import static mmutex.conformance.DriverRig.once;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.CancelReason;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DevicePte;
import mmutex.device.RetryPolicy;
import mmutex.layout.PteKind;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.Quirk;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Driver scenarios without a race: one fault at a time. */
@HangGuard
class DriverFaultCasesTest {
    private static Stream<Setting> all() {
        return Setting.all();
    }

    private static Stream<Setting> withOwner() {
        return Setting.withOwner();
    }

    private static Stream<Setting> inlineWithOwner() {
        return Setting.inlineWithOwner();
    }

    private static Stream<Arguments> withOwnerAndRepair() {
        return Setting.withOwner()
                .flatMap(setting -> Stream.of(RetryPolicy.PREFAULT, RetryPolicy.CHECK_AND_REUSE)
                        .map(policy -> Arguments.of(setting, policy)));
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-1: atomic fault on a resident, writable, unshared page")
    void cn1OneRound(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 1);

        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC));

        rig.assertMaps(rig.device(), 0, ATOMIC);
        assertThat(rig.emulation.kind(0).isDeviceExclusive()).isTrue();
        assertThat(rig.device().driver().retries()).isZero();
        assertThat(rig.device().driver().replays()).isEqualTo(1);
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-2: atomic fault on a page that nobody has touched")
    void cn2FirstTouch(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.map(0, 1, READ_WRITE);

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        rig.assertMaps(rig.device(), 0, ATOMIC);
        assertThat(rig.device().driver().retries()).isZero();
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwnerAndRepair")
    @DisplayName("CN-3: atomic fault on a zero-mapped page: two rounds")
    void cn3ZeroPage(final Setting setting, final RetryPolicy policy) {
        final DriverRig rig = new DriverRig(setting, 1, policy);
        rig.emulation.map(0, 1, READ_WRITE);
        rig.emulation.load(0);

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        rig.assertMaps(rig.device(), 0, ATOMIC);
        assertThat(rig.device().driver().retries()).isEqualTo(1);
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-3, Q1: the kernel's loop collides with itself until the time is over")
    void cn3SelfLivelock(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.KERNEL_LOOP);
        rig.emulation.map(0, 1, READ_WRITE);
        rig.emulation.load(0);
        rig.tickNs.set(100 * MILLISECOND);

        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC));

        assertThat(rig.device().lanes().get(0).cancelReason()).isEqualTo(CancelReason.TIME_OVER);
        assertThat(rig.device().driver().retries()).isBetween(3L, 10L);
        assertThat(rig.device().driver().replays()).isZero();
        assertThat(rig.flags(0)).isEqualTo(DevicePte.NONE);
        assertThat(rig.emulation.kind(0).isDeviceExclusive()).isTrue(); // an orphan
        rig.assertAtRest(0);
        assertThat(rig.emulation.load(0)).isZero();
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwnerAndRepair")
    @DisplayName("CN-4: the page is exclusive, but the device's entry is lost: two rounds")
    void cn4LostEntry(final Setting setting, final RetryPolicy policy) {
        final DriverRig rig = new DriverRig(setting, 1, policy);
        loseEntry(rig);

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        rig.assertMaps(rig.device(), 0, ATOMIC);
        assertThat(rig.device().driver().retries()).isEqualTo(1);
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-4, Q1: the kernel's loop")
    void cn4SelfLivelock(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.KERNEL_LOOP);
        loseEntry(rig);
        rig.tickNs.set(100 * MILLISECOND);

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.EBUSY);

        assertThat(rig.flags(0)).isEqualTo(DevicePte.NONE);
        rig.assertAtRest(0);
        rig.end();
    }

    private static void loseEntry(final DriverRig rig) {
        rig.emulation.mapWritten(0, 1);
        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        rig.device().lock().lock(rig.emulation.cpu);
        rig.device().table().erase(rig.emulation.cpu, addr(0) / PAGE, addr(1) / PAGE);
        rig.device().lock().unlock(rig.emulation.cpu);
    }

    /**
     * Before 6.14 the loop keeps the page locked; get_user_pages then waits for its own caller. Nothing in the kernel ends
     * it; here the test does, from outside.
     */
    @ParameterizedTest
    @MethodSource("inlineWithOwner")
    @DisplayName("CN-3, Q4: a retry that keeps the page locked waits for itself")
    void cn3SelfDeadlock(final Setting setting) throws InterruptedException {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.KERNEL_LOOP, Quirk.LOCKED_RETRY);
        rig.emulation.map(0, 1, READ_WRITE);
        rig.emulation.load(0);
        final Crew crew = new Crew();
        crew.start("worker", () -> rig.fault(0, DeviceAccess.ATOMIC));
        // It sleeps on the lock of a page that it has locked itself.
        final long worker = rig.device().worker().id();
        long pfn = 0;
        boolean stuck = false;
        while (!stuck) {
            Thread.yield();
            final long pte = rig.emulation.pte(0);
            if (rig.emulation.encoding.isDeviceExclusive(pte)) {
                pfn = rig.emulation.encoding.swapFrameNumber(pte);
                stuck = rig.emulation.frames.lockOwner(pfn) == worker
                        && rig.emulation.frames.has(pfn, FrameTable.WAITERS);
            }
        }
        rig.device().worker().kill(); // in vain: get_user_pages waits uninterruptibly
        DriverRig.letOthersRun();
        assertThat(rig.emulation.frames.lockOwner(pfn)).isEqualTo(worker);
        assertThat(rig.emulation.kind(0).isDeviceExclusive()).isTrue();

        rig.emulation.platform.pageLock().unlock(rig.emulation.cpu, pfn);

        crew.join();
        assertThat(rig.emulation.frames.refCount(pfn)).isEqualTo(2); // the reference is lost for good
        rig.emulation.platform.putPage(pfn);
        rig.device().worker().revive();
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-8: atomic fault where it is not permitted, or where nothing is")
    void cn8NotPermitted(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.map(0, 1, READ);

        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC), once(1, DeviceAccess.ATOMIC), once(0, DeviceAccess.READ));

        assertThat(rig.device().lanes().stream().limit(3).map(DeviceLane::cancelReason))
                .containsExactly(CancelReason.NO_PAGE, CancelReason.NO_PAGE, null);
        assertThat(rig.flags(0)).isEqualTo(DevicePte.VALID);
        rig.assertNoSubscriptionIsLeft();
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-9: plain faults on the own exclusive page; an atomic one takes it back")
    void cn9OwnExclusivePage(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 2);
        for (final DeviceAccess access : new DeviceAccess[] {DeviceAccess.READ, DeviceAccess.WRITE}) {
            final long page = access.ordinal();
            final long before = rig.device().driver().retries();
            rig.fault(page, DeviceAccess.ATOMIC);

            assertThat(rig.fault(page, access)).isEqualTo(Errno.OK);

            rig.assertMaps(rig.device(), page, PLAIN_WRITE);
            assertThat(rig.device().driver().retries() - before).isEqualTo(1);
            assertThat(rig.emulation.kind(page)).isEqualTo(PteKind.PRESENT);
            assertThat(rig.fault(page, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
            rig.assertMaps(rig.device(), page, ATOMIC);
        }
        rig.end();
    }

    @ParameterizedTest
    @EnumSource(Protocol.class)
    @DisplayName("CN-12: nobody uses the address space any more")
    void cn12NoUsers(final Protocol protocol) {
        final DriverRig rig = new DriverRig(new Setting(SemanticProfile.K612, Delivery.INLINE, protocol), 1);
        rig.emulation.mapWritten(0, 1);
        rig.emulation.cpu.run(null);
        rig.emulation.process.exit(rig.emulation.cpu);

        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC), once(0, DeviceAccess.READ));

        assertThat(rig.device().lanes().stream().limit(2).map(DeviceLane::cancelReason))
                .containsOnly(CancelReason.NO_USERS);
        rig.assertNoSubscriptionIsLeft();
        rig.emulation.machine.removeDevice(rig.emulation.cpu, rig.device());
        assertThat(rig.emulation.platform.tables().inUse()).isZero();
        rig.watch.report().orThrow();
    }
}
