package mmutex.conformance;

import static mmutex.conformance.DriverRig.ATOMIC;
import static mmutex.conformance.DriverRig.once;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.CancelReason;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DevicePte;
import mmutex.device.RetryPolicy;
import mmutex.device.SvmDevice;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.Quirk;
import mmutex.mm.RangeTracker;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.Protocol;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Driver scenarios in which others change the page, each at the moment that the case names. */
@HangGuard
class DriverRaceCasesTest {
    private static Stream<Setting> all() {
        return Setting.all();
    }

    private static Stream<Setting> withOwner() {
        return Setting.withOwner();
    }

    private static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-5: a CPU touches the page between make and unlock")
    void cn5CpuTouch(final Setting setting) throws InterruptedException {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 1);
        rig.emulation.store(0, 7);
        final Cpu other = rig.emulation.machine.cpu(1);
        other.run(rig.emulation.process);
        final AtomicBoolean touched = new AtomicBoolean();
        final Crew crew = new Crew();
        rig.afterConversion(rig.device(), worker -> {
            final long pfn = rig.emulation.frame(0);
            crew.start("cpu", () -> {
                assertThat(other.loadLong(addr(0))).isEqualTo(Signal.NONE);
                touched.set(true);
            });
            while (!rig.emulation.frames.has(pfn, FrameTable.WAITERS)) { // until it sleeps on the page's lock
                Thread.yield();
            }
            assertThat(touched).isFalse();
        });

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        crew.join();
        assertThat(other.value()).isEqualTo(7);
        // The first try dropped the lock of the address space and waited, so the fault was tried again; V3's waits at
        // once.
        final SemanticProfile profile = setting.profile();
        assertThat(other.majorFaults())
                .isEqualTo(profile.retriedFaultIsMajor() && !profile.restoreBlocksOnPageLock() ? 1 : 0);
        assertThat(rig.flags(0)).isEqualTo(DevicePte.NONE);
        assertThat(rig.emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        other.run(null);
        rig.assertAtRest(0);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-6: MADV_DONTNEED between make and the driver lock")
    void cn6ZapBeforeProgramming(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 1);
        rig.emulation.store(0, 7);
        final long inUse = rig.emulation.platform.allocator().inUse();
        rig.afterConversion(rig.device(), worker -> discard(rig, worker));

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertThat(rig.device().driver().retries()).isEqualTo(1);
        rig.assertMaps(rig.device(), 0, ATOMIC);
        rig.assertAtRest(0);
        assertThat(rig.emulation.platform.allocator().inUse()).isEqualTo(inUse); // the old frame is free
        assertThat(rig.emulation.load(0)).isZero();
        rig.end();
    }

    /** The span is over before the driver asks; a flag that its end sets again has nothing to tell. */
    @ParameterizedTest
    @EnumSource(Delivery.class)
    @DisplayName("CN-6 on a mirror as coded in 5.3: the span is never seen")
    void cn6UnseenByAFlag(final Delivery delivery) {
        final Setting setting = new Setting(SemanticProfile.K612, delivery, Protocol.HMM_MIRROR);
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.PREFAULT, Quirk.REVALIDATED_RANGE);
        rig.emulation.mapWritten(0, 1);
        final long frame = rig.emulation.frame(0);
        rig.afterConversion(rig.device(), worker -> discard(rig, worker));

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertThat(rig.device().driver().retries()).isZero();
        assertThat(rig.emulation.pte(0)).isEqualTo(rig.emulation.encoding.empty());
        assertThat(rig.flags(0)).isEqualTo(ATOMIC);
        assertThat(DevicePte.frameNumber(rig.entry(rig.device(), 0))).isEqualTo(frame);
        assertThat(rig.emulation.frames.refCount(frame)).isZero(); // the device maps a free frame
    }

    private static void discard(final DriverRig rig, final Task task) {
        assertThat(rig.emulation.process.madvise(task, addr(0), PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-7: MADV_DONTNEED after programming waits for the driver lock, then unmaps the device, then zaps")
    void cn7ZapAfterProgramming(final Setting setting) throws InterruptedException {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 1);
        rig.fault(0, DeviceAccess.ATOMIC);
        final SvmDevice device = rig.device();
        final long spans = rig.watch.spans();
        final Task zapper = rig.emulation.machine.newTask("zapper");
        final AtomicBoolean done = new AtomicBoolean();
        final Crew crew = new Crew();

        device.lock().lock(rig.emulation.cpu);
        crew.start("zapper", () -> {
            discard(rig, zapper);
            done.set(true);
        });
        while (!rig.emulation.space.mmapLock().isHeld()) {
            Thread.yield();
        }
        DriverRig.letOthersRun();
        assertThat(done).isFalse();
        assertThat(rig.watch.spans()).isEqualTo(spans); // still in the driver's callback
        assertThat(rig.flags(0)).isEqualTo(ATOMIC);
        assertThat(rig.emulation.kind(0).isDeviceExclusive()).isTrue();
        device.lock().unlock(rig.emulation.cpu);

        crew.join();
        assertThat(rig.flags(0)).isEqualTo(DevicePte.NONE);
        assertThat(rig.emulation.pte(0)).isEqualTo(rig.emulation.encoding.empty());
        rig.end();
    }

    /** The moment is one in which only the page is locked; so the test is the driver. */
    @ParameterizedTest
    @MethodSource("profiles")
    @DisplayName("CN-15: fork while a driver has the page locked and not the mmap lock")
    void cn15ForkAgainstDriver(final SemanticProfile profile) {
        final DriverRig rig = new DriverRig(new Setting(profile, Delivery.INLINE, Protocol.INTERVAL), 1);
        rig.emulation.mapWritten(0, 1);
        final Task driver = rig.emulation.machine.newTask("driver");
        final RangeTracker tracker = RangeTracker.of(
                Protocol.INTERVAL,
                rig.emulation.space,
                (actor, guard, range, sequence) -> {
                    if (range.owner() != 77) {
                        guard.setSeq(sequence);
                    }
                    return true;
                },
                new NotifierSubscriber() {},
                () -> 0);
        assertThat(tracker.insert(driver, addr(0), PAGE)).isEqualTo(Errno.OK);
        final long sample = tracker.guard().readBegin(driver);
        final long pfn = make(rig, driver);

        final Process.Forked failed = rig.emulation.process.fork(rig.emulation.cpu);

        if (profile.forkExclusive() != SemanticProfile.ForkExclusive.COPY_DEMOTED) {
            assertThat(failed.errno()).isEqualTo(Errno.ENOMEM);
            assertThat(rig.emulation.kind(0).isDeviceExclusive()).isTrue();
            assertThat(tracker.guard().readRetry(sample)).isTrue(); // R12: told before anything was tried
        } else {
            assertThat(failed.errno()).isEqualTo(Errno.OK);
            failed.child().exit(rig.emulation.cpu);
        }
        rig.emulation.platform.pageLock().unlock(driver, pfn);
        rig.emulation.platform.putPage(pfn);
        tracker.remove(driver);
        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        final Process.Forked forked = rig.emulation.process.fork(rig.emulation.cpu);
        assertThat(forked.errno()).isEqualTo(Errno.OK);
        rig.assertMapsNothing(rig.device());
        forked.child().exit(rig.emulation.cpu);
        rig.end();
    }

    private static long make(final DriverRig rig, final Task driver) {
        final long[] pages = new long[1];
        rig.emulation.space.mmapLock().readLock(driver);
        final long pfn;
        if (rig.setting.profile().makeOnePage()) {
            pfn = ExclusiveMaker.makeOne(driver, rig.emulation.space, addr(0), 77);
        } else {
            ExclusiveMaker.makeRange(driver, rig.emulation.space, addr(0), 1, 77, pages);
            pfn = pages[0];
        }
        rig.emulation.space.mmapLock().readUnlock(driver);
        assertThat(pfn).isPositive();
        return pfn;
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-17: a device is detached with a fault in flight")
    void cn17Teardown(final Setting setting) throws InterruptedException {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 2);
        final SvmDevice device = rig.device();
        final CountDownLatch inFlight = new CountDownLatch(1);
        final CountDownLatch goOn = new CountDownLatch(1);
        final AtomicBoolean detached = new AtomicBoolean();
        rig.afterConversion(device, worker -> {
            inFlight.countDown();
            try {
                goOn.await();
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        final Crew crew = new Crew();
        crew.start("worker", () -> rig.run(device, once(0, DeviceAccess.ATOMIC)));
        inFlight.await();
        rig.watch.without(device); // it stands behind the device's own callbacks only while those exist
        final Task remover = rig.emulation.machine.newTask("remover");
        crew.start("remover", () -> {
            device.detach(remover);
            detached.set(true);
        });
        DriverRig.letOthersRun();
        assertThat(detached).isFalse(); // the fault work is flushed first
        goOn.countDown();
        crew.join();

        assertThat(device.lanes().get(0).isFinished()).isTrue();
        rig.assertMapsNothing(device);
        rig.assertNoSubscriptionIsLeft();
        // Nobody serves the ring any more, and nothing is put on it.
        rig.stopEngines();
        assertThat(rig.emulation.load(0)).isZero();
        discard(rig, rig.emulation.cpu);
        rig.run(device, once(1, DeviceAccess.ATOMIC));
        assertThat(device.lanes().get(0).cancelReason()).isEqualTo(CancelReason.DETACHED);
        rig.end();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("CN-18: the process exits while a device maps its pages")
    void cn18Exit(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 3);
        rig.fault(0, DeviceAccess.ATOMIC);
        rig.fault(1, DeviceAccess.WRITE);
        rig.fault(2, DeviceAccess.READ);
        final long inUse = rig.emulation.platform.allocator().inUse();
        final AtomicBoolean nothingFreedBefore = new AtomicBoolean();
        rig.emulation.space.register(rig.emulation.cpu, new NotifierSubscriber() {
            @Override
            public void release(final Actor actor) {
                nothingFreedBefore.set(rig.emulation.platform.allocator().inUse() == inUse);
            }
        });
        rig.emulation.cpu.run(null);

        rig.emulation.process.exit(rig.emulation.cpu);

        assertThat(nothingFreedBefore).isTrue();
        rig.assertMapsNothing(rig.device());
        assertThat(rig.emulation.platform.allocator().inUse()).isZero();
        rig.run(rig.device(), once(0, DeviceAccess.ATOMIC), once(1, DeviceAccess.WRITE));
        assertThat(rig.device().lanes().stream().limit(2).map(DeviceLane::cancelReason))
                .containsOnly(CancelReason.NO_USERS);
        rig.stopEngines();
        rig.device().worker().stop();
        rig.emulation.machine.removeDevice(rig.emulation.cpu, rig.device());
        assertThat(rig.emulation.platform.tables().inUse()).isZero();
        rig.watch.report().orThrow();
    }
}
