package mmutex.device;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The nouveau-style driver: CN cases that need no race, on the test's own thread, and a few with real threads. */
@HangGuard
class SvmDriverTest {
    private static final long ATOMIC = DevicePte.VALID | DevicePte.WRITE | DevicePte.ATOMIC;
    private static final long PLAIN_WRITE = DevicePte.VALID | DevicePte.WRITE;

    private Emulation emulation;
    private SvmDevice device;
    private long clockNs;

    private static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    /** Profiles in which the driver knows its own events. */
    private static Stream<SemanticProfile> profilesWithOwner() {
        return profiles().filter(SemanticProfile::makePassesOwner);
    }

    /** Those that don't take one page of a large folio for another. */
    private static Stream<SemanticProfile> profilesThatTellSubpages() {
        return profiles().filter(profile -> !profile.makeConfusesSubpages());
    }

    private void begin(final SemanticProfile profile, final Delivery delivery) {
        emulation = new Emulation(new MachineSpec(profile, "x86-64", delivery, 3, 256, 128, 4));
        device = emulation.machine.newDevice(emulation.cpu, emulation.process, 4, () -> clockNs);
    }

    private void begin(final SemanticProfile profile) {
        begin(profile, Delivery.INLINE);
    }

    private void begin() {
        begin(SemanticProfile.K612);
    }

    private Errno resolve(final long page, final DeviceAccess access) {
        return device.driver().resolve(device.worker(), addr(page) + 16, access);
    }

    private long entry(final long page) {
        return device.table().load(addr(page) / PAGE);
    }

    private long flags(final long page) {
        return entry(page) & 0xff;
    }

    private void assertMaps(final long page, final long flags) {
        assertThat(flags(page)).isEqualTo(flags);
        assertThat(DevicePte.frameNumber(entry(page))).isEqualTo(emulation.frame(page));
    }

    private void assertLockedByNobody(final long page) {
        assertThat(emulation.platform.pageLock().isLocked(emulation.frame(page)))
                .isFalse();
        assertThat(device.lock().isHeld()).isFalse();
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
    }

    private void assertNoSubscriptionIsLeft() {
        assertThat(emulation.space.notifiers().snapshot(emulation.cpu).subscriptionSeqs())
                .isEmpty();
    }

    private void end() {
        emulation.assertSound();
        device.worker().stop();
        emulation.machine.removeDevice(emulation.cpu, device);
        emulation.assertNothingIsLeft();
    }

    // ---- atomic faults
    // ------------------------------------------------------------------------------------------------

    /** CN-1. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeAWritablePageExclusiveInOneRound(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        final List<Event> events = emulation.record();

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertMaps(0, ATOMIC);
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
        assertThat(device.driver().retries()).isZero();
        assertThat(emulation.frames.refCount(emulation.frame(0))).isEqualTo(1);
        assertLockedByNobody(0);
        assertNoSubscriptionIsLeft();
        final long owner = profile.makeEvent() == NotifierEvent.EXCLUSIVE ? device.owner() : 0;
        assertThat(events).containsExactly(new Event(profile.makeEvent(), 0, 1, owner));
        end();
    }

    /** Nouveau on a page that is not the first of its large folio: up to 6.14 -EINVAL at once, since make skips it. */
    @ParameterizedTest
    @MethodSource("profilesThatTellSubpages")
    void shouldFailAtOnceWhereMakeSkipsThePagesOfALargeFolio(final SemanticProfile profile) {
        emulation = Huge.written(profile, 1);
        device = emulation.machine.newDevice(emulation.cpu, emulation.process, 4, () -> clockNs);
        final boolean skipped = !profile.makeOnePage();

        assertThat(resolve(5, DeviceAccess.ATOMIC)).isEqualTo(skipped ? Errno.EINVAL : Errno.OK);

        assertThat(flags(5)).isEqualTo(skipped ? 0 : ATOMIC);
        if (skipped) {
            assertThat(device.driver().retries()).isZero();
            assertThat(emulation.load(5)).isEqualTo(5);
            assertThat(resolve(0, DeviceAccess.ATOMIC)).as("the first page").isEqualTo(Errno.OK);
        }
        emulation.machine.removeDevice(emulation.cpu, device);
    }

    @Test
    void shouldHaveAnyPageOfAFolioThatWasTakenApart() {
        emulation = Huge.written(SemanticProfile.K612, 1);
        device = emulation.machine.newDevice(emulation.cpu, emulation.process, 4, () -> clockNs);
        Huge.advise(emulation, 400, 1, Advice.FREE);

        assertThat(resolve(5, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertMaps(5, ATOMIC);
        emulation.machine.removeDevice(emulation.cpu, device);
        Huge.assertNothingIsLeft(emulation);
    }

    /** CN-2: a first touch sends no event. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeAnUntouchedPageExclusiveInOneRound(final SemanticProfile profile) {
        begin(profile);
        emulation.map(0, 1, READ_WRITE);

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertMaps(0, ATOMIC);
        assertThat(device.driver().retries()).isZero();
        assertThat(emulation.load(0)).isZero();
        end();
    }

    /** CN-3: the copy of the zero page collides with the driver's own round; prefaulted, the second one succeeds. */
    @ParameterizedTest
    @MethodSource("profilesWithOwner")
    void shouldNeedTwoRoundsForTheZeroPage(final SemanticProfile profile) {
        begin(profile);
        emulation.map(0, 1, READ_WRITE);
        emulation.load(0);

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertMaps(0, ATOMIC);
        assertThat(device.driver().retries()).isEqualTo(1);
        assertLockedByNobody(0);
        end();
    }

    /** CN-4: the CPU's entry is exclusive already, but the device has lost its mapping. */
    @ParameterizedTest
    @MethodSource("profilesWithOwner")
    void shouldNeedTwoRoundsForAPageThatIsExclusiveAlready(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.ATOMIC);
        device.lock().lock(emulation.cpu);
        device.table().erase(emulation.cpu, addr(0) / PAGE, addr(1) / PAGE);
        device.lock().unlock(emulation.cpu);

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertMaps(0, ATOMIC);
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
        assertThat(device.driver().retries()).isEqualTo(1);
        end();
    }

    @ParameterizedTest
    @MethodSource("profilesWithOwner")
    void shouldCopyASharedPageFirst(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        final long shared = emulation.frame(0);

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertThat(emulation.frame(child, 0)).isEqualTo(shared);
        assertThat(emulation.frame(0)).isNotEqualTo(shared);
        assertThat(device.driver().retries()).isEqualTo(1);
        child.exit(emulation.cpu);
        end();
    }

    /** CN-8. */
    @ParameterizedTest
    @EnumSource(DeviceAccess.class)
    void shouldFailWhereNothingIsMapped(final DeviceAccess access) {
        begin();

        final Errno expected = access == DeviceAccess.PREFETCH ? Errno.OK : Errno.EINVAL;
        assertThat(resolve(0, access)).isEqualTo(expected);
        assertThat(entry(0)).isEqualTo(DevicePte.NONE);
        assertNoSubscriptionIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFailToWriteReadOnlyMemory(final SemanticProfile profile) {
        begin(profile);
        emulation.map(0, 1, READ);

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.EINVAL);
        assertThat(resolve(0, DeviceAccess.WRITE)).isEqualTo(Errno.EINVAL);
        assertThat(resolve(0, DeviceAccess.READ)).isEqualTo(Errno.OK);
        assertMaps(0, DevicePte.VALID);
        assertNoSubscriptionIsLeft();
        end();
    }

    /** CN-12: mmget fails, and nothing is inserted. */
    @ParameterizedTest
    @EnumSource(DeviceAccess.class)
    void shouldFailForADeadProcess(final DeviceAccess access) {
        begin();
        emulation.mapWritten(0, 1);
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);

        assertThat(resolve(0, access)).isEqualTo(Errno.EFAULT);
        assertNoSubscriptionIsLeft();
    }

    /** Something else hits the page in every round: given up after a second, by the clock that was passed in. */
    @ParameterizedTest
    @MethodSource("profilesWithOwner")
    void shouldGiveUpWhenEveryRoundCollides(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        final AtomicLong rounds = new AtomicLong();
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            private final NotifierRange nested = new NotifierRange();

            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                if (range.event() == NotifierEvent.EXCLUSIVE && range.owner() == device.owner()) {
                    rounds.incrementAndGet();
                    clockNs += 300_000_000;
                    nested.init(NotifierEvent.CLEAR, addr(0), addr(1));
                    emulation.space.notifiers().start(actor, nested);
                    emulation.space.notifiers().end(actor, nested);
                }
                return true;
            }
        });

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.EBUSY);

        assertThat(rounds).hasValue(4);
        assertThat(entry(0)).isEqualTo(DevicePte.NONE);
        assertLockedByNobody(0);
        assertNoSubscriptionIsLeft();
        assertThat(emulation.load(0)).isZero();
        end();
    }

    @Test
    void shouldReportExhaustedTables() {
        emulation = new Emulation(SemanticProfile.K612, 64, 16);
        device = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> clockNs);
        emulation.mapWritten(0, 1);
        while (emulation.platform.tables().inUse() < 15) {
            emulation.machine.newProcess();
        }

        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.ENOMEM);
        assertLockedByNobody(0);
        assertThat(resolve(0, DeviceAccess.READ)).isEqualTo(Errno.ENOMEM);
        assertThat(emulation.load(0)).isZero();
        emulation.assertSound();
    }

    // ---- plain faults
    // -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapPagesAsTheyAre(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ_WRITE);
        emulation.map(2, 1, READ_WRITE);

        assertThat(resolve(0, DeviceAccess.READ)).isEqualTo(Errno.OK);
        assertMaps(0, PLAIN_WRITE); // it is writable anyway
        assertThat(resolve(1, DeviceAccess.READ)).isEqualTo(Errno.OK);
        assertMaps(1, DevicePte.VALID); // the zero page
        assertThat(resolve(2, DeviceAccess.WRITE)).isEqualTo(Errno.OK);
        assertMaps(2, PLAIN_WRITE);
        assertThat(device.driver().retries()).isZero();
        end();
    }

    @Test
    void shouldPrefetchOnlyWhatIsThere() {
        begin();
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ_WRITE);
        emulation.mapWritten(2, 1);
        resolve(2, DeviceAccess.ATOMIC);
        device.lock().lock(emulation.cpu);
        device.table().erase(emulation.cpu, addr(2) / PAGE, addr(3) / PAGE);
        device.lock().unlock(emulation.cpu);

        assertThat(resolve(0, DeviceAccess.PREFETCH)).isEqualTo(Errno.OK);
        assertMaps(0, PLAIN_WRITE);
        assertThat(resolve(1, DeviceAccess.PREFETCH)).isEqualTo(Errno.OK);
        assertThat(entry(1)).isEqualTo(DevicePte.NONE);
        assertThat(emulation.pte(1)).isEqualTo(emulation.encoding.empty());
        assertThat(resolve(2, DeviceAccess.PREFETCH)).isEqualTo(Errno.OK);
        assertThat(entry(2)).isEqualTo(DevicePte.NONE);
        assertThat(emulation.kind(2)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
    }

    /** CN-9: a plain fault on the own exclusive page restores it; one round is lost; a later atomic takes it back. */
    @ParameterizedTest
    @EnumSource(
            value = DeviceAccess.class,
            names = {"READ", "WRITE"})
    void shouldTurnAnExclusivePageIntoAPlainOne(final DeviceAccess access) {
        begin();
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.ATOMIC);
        final List<Event> events = emulation.record();

        assertThat(resolve(0, access)).isEqualTo(Errno.OK);

        assertMaps(0, PLAIN_WRITE);
        assertThat(device.driver().retries()).isEqualTo(1);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(events).containsExactly(new Event(NotifierEvent.EXCLUSIVE, 0, 1, 0));
        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        assertMaps(0, ATOMIC);
        end();
    }

    // ---- losing pages
    // -------------------------------------------------------------------------------------------------

    /** CN-7 and its like: whatever changes the page takes the device's mapping first. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLoseItsMappingToEveryKindOfChange(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 6);
        for (int page = 0; page < 6; page++) {
            assertThat(resolve(page, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        }

        emulation.load(0); // restore
        assertThat(entry(0)).isEqualTo(DevicePte.NONE);
        assertThat(flags(1)).isEqualTo(ATOMIC); // exactly the page, unlike the test device
        emulation.process.madvise(emulation.cpu, addr(1), PAGE, Advice.DONTNEED);
        assertThat(entry(1)).isEqualTo(DevicePte.NONE);
        emulation.process.munmap(emulation.cpu, addr(2), PAGE);
        assertThat(entry(2)).isEqualTo(DevicePte.NONE);
        emulation.protect(3, 1, READ);
        assertThat(entry(3)).isEqualTo(DevicePte.NONE);
        assertThat(flags(5)).isEqualTo(ATOMIC);
        final Process child = emulation.fork();
        assertThat(device.table().nextValid(0, device.table().pageLimit()))
                .isEqualTo(device.table().pageLimit());
        child.exit(emulation.cpu);
        end();
    }

    /** CN-13, CN-14: the other device's make revokes the mapping, plain or atomic. */
    @ParameterizedTest
    @EnumSource(
            value = DeviceAccess.class,
            names = {"WRITE", "ATOMIC"})
    void shouldLosePagesToAnotherDevice(final DeviceAccess access) {
        begin();
        final SvmDevice other = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> clockNs);
        emulation.mapWritten(0, 1);
        resolve(0, access);

        assertThat(other.driver().resolve(other.worker(), addr(0), DeviceAccess.ATOMIC))
                .isEqualTo(Errno.OK);

        assertThat(entry(0)).isEqualTo(DevicePte.NONE);
        assertThat(other.table().load(addr(0) / PAGE) & 0xff).isEqualTo(ATOMIC);
        emulation.assertSound();
        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        assertThat(other.table().load(addr(0) / PAGE)).isEqualTo(DevicePte.NONE);
        emulation.machine.removeDevice(emulation.cpu, other);
        end();
    }

    /** CN-18, I25: the process exits while the device maps its pages. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapNothingOfAProcessThatHasExited(final SemanticProfile profile) {
        begin(profile);
        emulation.mapWritten(0, 3);
        resolve(0, DeviceAccess.ATOMIC);
        resolve(1, DeviceAccess.WRITE);
        resolve(2, DeviceAccess.READ);
        emulation.cpu.run(null);

        emulation.process.exit(emulation.cpu);

        assertThat(device.table().nextValid(0, device.table().pageLimit()))
                .isEqualTo(device.table().pageLimit());
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(resolve(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.EFAULT);
        emulation.machine.removeDevice(emulation.cpu, device);
        assertThat(emulation.platform.tables().inUse()).isZero();
    }

    /** CN-16: it has a list subscriber, which refuses what it might have to wait for; nothing is left open (Q3). */
    @Test
    void shouldRefuseNonBlockableSpans() {
        begin();
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.ATOMIC);
        final NotifierRange range =
                new NotifierRange().init(NotifierEvent.UNMAP, addr(0), addr(1)).nonBlockable();

        assertThat(emulation.space.notifiers().start(emulation.cpu, range)).isFalse();

        assertThat(emulation.space.notifiers().snapshot(emulation.cpu).activeSpans())
                .isZero();
        assertThat(flags(0)).isEqualTo(ATOMIC);
        end();
    }

    /** I31: only its own conversion, and only its own migration, leave a mapping alone. */
    @ParameterizedTest
    @EnumSource(NotifierEvent.class)
    void shouldFilterItsOwnMigrationOnly(final NotifierEvent event) {
        begin();
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.WRITE);
        final NotifierRange range = new NotifierRange();

        range.init(event, addr(0), addr(1), device.owner());
        emulation.space.notifiers().start(emulation.cpu, range);
        emulation.space.notifiers().end(emulation.cpu, range);

        // Its own EXCLUSIVE erases what the list subscriber finds; only the sequence is left alone.
        assertThat(entry(0) != DevicePte.NONE).isEqualTo(event == NotifierEvent.MIGRATE);
        resolve(0, DeviceAccess.WRITE);
        range.init(event, addr(0), addr(1), device.owner() + 1);
        emulation.space.notifiers().start(emulation.cpu, range);
        emulation.space.notifiers().end(emulation.cpu, range);
        assertThat(entry(0)).isEqualTo(DevicePte.NONE);
    }

    // ---- lanes
    // --------------------------------------------------------------------------------------------------------

    private DeviceLane lane(final int number) {
        return device.lanes().get(number);
    }

    /** A program that performs one access and ends. */
    private static LaneProgram once(final LaneProgram access) {
        return lane -> !access.step(lane);
    }

    @Test
    void shouldStallALaneUntilItsFaultIsResolved() {
        begin();
        emulation.mapWritten(0, 1);
        emulation.store(0, 40);
        lane(0).start(once(lane -> lane.modifyLong(addr(0), DeviceAccess.ATOMIC, DeviceOperation.ADD, 2, 0)));

        assertThat(lane(0).step()).isTrue(); // misses
        assertThat(lane(0).step()).isFalse(); // stalled
        assertThat(lane(0).isFinished()).isFalse();
        assertThat(lane(0).operations()).isZero();
        assertThat(device.driver().serviceFaults(device.worker())).isTrue();
        assertThat(lane(0).step()).isTrue();

        assertThat(lane(0).value()).isEqualTo(40);
        assertThat(lane(0).operations()).isEqualTo(1);
        assertThat(lane(0).isFinished()).isTrue();
        assertThat(lane(0).isCancelled()).isFalse();
        assertThat(device.driver().replays()).isEqualTo(1);
        assertThat(device.driver().faultsResolved()).isEqualTo(1);
        assertThat(device.driver().serviceFaults(device.worker())).isFalse();
        assertThat(emulation.load(0)).isEqualTo(42);
        end();
    }

    @Test
    void shouldCancelALaneWhoseFaultCannotBeResolved() {
        begin();
        emulation.map(0, 1, READ);
        lane(0).start(once(lane -> lane.storeLong(addr(0), 1)));
        lane(1).start(once(lane -> lane.loadLong(addr(0))));

        while (!device.worker().isFinished()) {
            device.worker().work();
        }

        assertThat(lane(0).isCancelled()).isTrue();
        assertThat(lane(0).operations()).isZero();
        assertThat(lane(1).isCancelled()).isFalse();
        assertThat(device.driver().faultsCancelled()).isEqualTo(1);
        end();
    }

    @Test
    void shouldPerformEveryKindOfAccess() {
        begin();
        emulation.mapWritten(0, 1);
        lane(0).start(new LaneProgram() {
            private int step;

            @Override
            public boolean step(final DeviceLane lane) {
                final long addr = addr(0);
                final boolean done;
                switch (step) {
                    case 0:
                        done = lane.storeLong(addr, 5);
                        break;
                    case 1:
                        done = lane.modifyLong(addr, DeviceAccess.ATOMIC, DeviceOperation.MAX, 9, 0);
                        break;
                    case 2:
                        done = lane.modifyInt(addr + 8, DeviceAccess.ATOMIC, DeviceOperation.EXCHANGE, -3, 0);
                        break;
                    case 3:
                        done = lane.modifyInt(addr + 8, DeviceAccess.ATOMIC, DeviceOperation.COMPARE_EXCHANGE, 7, -3);
                        break;
                    default:
                        done = lane.loadLong(addr);
                        break;
                }
                step += done ? 1 : 0;
                return step < 5;
            }
        });
        while (!device.worker().isFinished()) {
            device.worker().work();
        }

        assertThat(lane(0).value()).isEqualTo(9);
        assertThat(lane(0).operations()).isEqualTo(5);
        emulation.cpu.loadInt(addr(0) + 8);
        assertThat(emulation.cpu.value()).isEqualTo(7);
        emulation.cpu.loadInt(addr(0) + 12);
        assertThat(emulation.cpu.value()).isZero();
        end();
    }

    /** The caller's mistake; the window must not stay open, or the next revocation would wait for ever. */
    @Test
    void shouldRefuseMisalignedAccesses() {
        begin();
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.ATOMIC);
        final DeviceLane lane = lane(0);

        assertThatThrownBy(() -> lane.modifyLong(BASE + 4, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("misaligned access: addr=0x40000004, size=8");
        assertThatThrownBy(() -> lane.modifyInt(BASE + 2, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("misaligned access: addr=0x40000002, size=4");
        assertThatThrownBy(() -> lane.loadLong(BASE + 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> lane.storeLong(BASE + 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThat(device.table().isAnyWindowOpen()).isFalse();
    }

    /** 48 bits are translated; an address with more must miss, not hit what its low bits name. */
    @ParameterizedTest
    @ValueSource(longs = {1L << 48, 1L << 62, Long.MIN_VALUE})
    void shouldNotReachAnythingThroughAddressesBeyondTheTable(final long offset) {
        begin();
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.ATOMIC);
        lane(0).start(once(lane -> lane.loadLong(BASE + offset)));

        while (!device.worker().isFinished()) {
            device.worker().work();
        }

        assertThat(lane(0).isCancelled()).isTrue();
    }

    /** CN-10 as intended: strongest first, so one resolution serves all faults on the page. */
    @Test
    void shouldServeDuplicatesWithTheStrongestOfThem() {
        begin();
        emulation.mapWritten(0, 1);
        lane(0).start(once(lane -> lane.loadLong(addr(0))));
        lane(1).start(once(lane -> lane.storeLong(addr(0) + 8, 1)));
        lane(2).start(once(lane -> lane.modifyLong(addr(0), DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)));
        for (int i = 0; i < 3; i++) {
            lane(i).step();
        }
        final List<Event> events = emulation.record();

        assertThat(device.driver().serviceFaults(device.worker())).isTrue();

        assertThat(events).hasSize(1); // one make
        assertMaps(0, ATOMIC);
        assertThat(device.driver().faultsResolved()).isEqualTo(3);
        assertThat(device.driver().replays()).isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            assertThat(lane(i).step()).isTrue();
            assertThat(lane(i).isFinished()).isTrue();
        }
        end();
    }

    /** CN-11 as intended: a read beside an atomic stays a read. */
    @Test
    void shouldHandleEachPageOfABatchByItsOwnKind() {
        begin();
        emulation.mapWritten(0, 2);
        emulation.map(2, 1, READ);
        lane(0).start(once(lane -> lane.modifyLong(addr(0), DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)));
        lane(1).start(once(lane -> lane.loadLong(addr(1))));
        lane(2).start(once(lane -> lane.storeLong(addr(2), 1)));
        lane(3).start(once(lane -> lane.loadLong(addr(2))));
        for (int i = 0; i < 4; i++) {
            lane(i).step();
        }

        device.driver().serviceFaults(device.worker());

        assertMaps(0, ATOMIC);
        assertMaps(1, PLAIN_WRITE);
        assertMaps(2, DevicePte.VALID);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.PRESENT);
        assertThat(lane(2).isCancelled()).isTrue(); // the weaker fault on its page is resolved all the same
        assertThat(lane(3).isCancelled()).isFalse();
        end();
    }

    // ---- threads
    // ------------------------------------------------------------------------------------------------------

    private static Stream<Arguments> profilesAndDeliveries() {
        return profiles()
                .flatMap(profile -> Stream.of(Delivery.values()).map(delivery -> Arguments.of(profile, delivery)));
    }

    /** CO-1 in small: atomics of CPUs and device on one word; none is lost. */
    @ParameterizedTest
    @MethodSource("profilesAndDeliveries")
    void shouldLoseNoIncrement(final SemanticProfile profile, final Delivery delivery) throws InterruptedException {
        begin(profile, delivery);
        emulation.map(0, 1, READ_WRITE);
        final int each = 300;
        final AtomicBoolean cpusDone = new AtomicBoolean();
        final AtomicLong cpusRunning = new AtomicLong(2);
        for (int i = 0; i < 4; i++) {
            lane(i).start(new LaneProgram() {
                private int done;

                @Override
                public boolean step(final DeviceLane lane) {
                    if (lane.modifyLong(addr(0), DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                        done++;
                    }
                    return done < each;
                }
            });
        }
        final Crew crew = new Crew();
        crew.startTogether(3, number -> {
            if (number == 2) {
                while (!device.worker().isFinished() || !cpusDone.get()) {
                    if (!device.worker().work()) {
                        device.worker().idle();
                    }
                }
                device.worker().stop();
                return;
            }
            final Cpu cpu = emulation.machine.cpu(number + 1);
            cpu.run(emulation.process);
            for (int i = 0; i < each; i++) {
                assertThat(cpu.fetchAddLong(addr(0), 1)).isEqualTo(Signal.NONE);
            }
            cpu.run(null);
            if (cpusRunning.decrementAndGet() == 0) {
                cpusDone.set(true);
                device.worker().wake();
            }
        });
        crew.join();

        assertThat(device.lanes()).noneMatch(DeviceLane::isCancelled);
        assertThat(emulation.load(0)).isEqualTo(6 * each);
        emulation.assertSound();
        emulation.machine.removeDevice(emulation.cpu, device);
        emulation.assertNothingIsLeft();
    }

    /** With RING a span waits for the worker; nothing is revoked behind its back. */
    @Test
    void shouldServeSpansOnItsOwnThread() throws InterruptedException {
        begin(SemanticProfile.K612, Delivery.RING);
        emulation.mapWritten(0, 1);
        resolve(0, DeviceAccess.ATOMIC);
        final AtomicBoolean restored = new AtomicBoolean();
        final Crew crew = new Crew();
        crew.start("cpu", () -> {
            emulation.load(0);
            restored.set(true);
        });
        while (!emulation.platform.pageLock().isLocked(DevicePte.frameNumber(entry(0)))) {
            Thread.yield();
        }
        for (int i = 0; i < 500; i++) {
            Thread.yield(); // gives the restore every chance not to wait
        }
        assertThat(restored).isFalse();
        assertThat(flags(0)).isEqualTo(ATOMIC);
        while (!device.worker().work()) {
            Thread.yield();
        }

        crew.join();
        assertThat(entry(0)).isEqualTo(DevicePte.NONE);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        end();
    }
}
