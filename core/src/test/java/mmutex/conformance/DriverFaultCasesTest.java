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

import java.util.List;
import java.util.stream.Stream;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.CancelReason;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DevicePte;
import mmutex.device.RetryPolicy;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.File;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.Quirk;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
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
        final List<Event> events = rig.emulation.record();

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        rig.assertMaps(rig.device(), 0, ATOMIC);
        assertThat(events).as("none by get_user_pages").containsExactly(made(rig));
        assertThat(rig.device().driver().retries()).isZero();
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CO-1: sides that take turns: each turn costs one device fault and one restore")
    void co1InTurns(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 1);
        final List<Event> events = rig.emulation.record();
        final Event restored = new Event(setting.profile().restoreEvent(), 0, 1, 0);
        final int turns = 8;
        for (int turn = 1; turn <= turns; turn++) {
            rig.run(rig.device(), DriverRig.adder(addr(0), 1));
            assertThat(rig.device().driver().faultsResolved()).isEqualTo(turn);
            final long faults = rig.emulation.cpu.faults();

            assertThat(rig.emulation.cpu.fetchAddLong(addr(0), 1)).isEqualTo(Signal.NONE);

            assertThat(rig.emulation.cpu.faults() - faults).isEqualTo(1);
            assertThat(events).containsExactly(made(rig), restored);
            events.clear();
        }
        assertThat(rig.device().driver().retries()).isZero();
        assertThat(rig.emulation.load(0)).isEqualTo(2 * turns);
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
        final List<Event> events = rig.emulation.record();

        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC));

        assertThat(rig.device().lanes().get(0).cancelReason()).isEqualTo(CancelReason.TIME_OVER);
        // The first round collides with its copy of the zero page, all others with the restore of what the round before
        // has made.
        final Event restored = new Event(setting.profile().restoreEvent(), 0, 1, 0);
        assertThat(events.subList(0, 2)).containsExactly(new Event(NotifierEvent.CLEAR, 0, 1, 0), made(rig));
        for (int round = 1; round < events.size() / 2; round++) {
            assertThat(events.subList(2 * round, 2 * round + 2)).containsExactly(restored, made(rig));
        }
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

    /** The conversion's own event. */
    private static Event made(final DriverRig rig) {
        final boolean owned = rig.setting.profile().makeEvent() == NotifierEvent.EXCLUSIVE;
        return new Event(
                rig.setting.profile().makeEvent(), 0, 1, owned ? rig.device().owner() : 0);
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
    @DisplayName("CN-8: the errno, and nothing left behind")
    void cn8Errno(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.map(0, 1, READ);

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).as("read-only").isEqualTo(Errno.EINVAL);
        assertThat(rig.fault(1, DeviceAccess.ATOMIC)).as("no VMA").isEqualTo(Errno.EINVAL);

        rig.assertMapsNothing(rig.device());
        assertThat(rig.emulation.kind(0)).isEqualTo(PteKind.NONE);
        rig.assertNoSubscriptionIsLeft();
        rig.end();
    }

    /** Page 0 of the file is in memory already, page 1 is not. */
    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-8: atomic fault in a shared mapping of a file: refused, but for V3")
    void cn8SharedFile(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.KERNEL_LOOP);
        final Emulation emulation = rig.emulation;
        final File file = emulation.machine.newFile(emulation.cpu, 2);
        assertThat(emulation.process.mmapFile(emulation.cpu, addr(0), 2 * PAGE, READ_WRITE, file, 0, true))
                .isEqualTo(Errno.OK);
        emulation.store(0, 7);

        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC), once(1, DeviceAccess.ATOMIC));

        final boolean accepted = setting.profile().makeAcceptsShared();
        for (int page = 0; page < 2; page++) {
            assertThat(rig.device().lanes().get(page).cancelReason()).isEqualTo(accepted ? null : CancelReason.NO_PAGE);
            assertThat(rig.flags(page)).isEqualTo(accepted ? ATOMIC : DevicePte.NONE);
            assertThat(emulation.kind(page).isDeviceExclusive()).isEqualTo(accepted);
            assertThat(emulation.platform.pageLock().isLocked(emulation.frame(page)))
                    .isFalse();
            assertThat(emulation.frames.refCount(emulation.frame(page)))
                    .as("the entry's and the page cache's")
                    .isEqualTo(2);
        }
        rig.assertNoSubscriptionIsLeft();
        assertThat(emulation.load(0)).isEqualTo(7);
        file.close(emulation.cpu);
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

    private static Stream<Setting> inline() {
        return Setting.all().filter(setting -> setting.delivery() == Delivery.INLINE);
    }

    @ParameterizedTest
    @MethodSource("inline")
    @DisplayName("CN-12: nobody uses the address space any more")
    void cn12NoUsers(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
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
