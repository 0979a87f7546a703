package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import mmutex.change.Advisor.Advice;
import mmutex.check.MomentChecks;
import mmutex.conformance.Rig.Event;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernel selftest's cases on exclusive access, CX-1 to CX-7, CX-9 and CX-11, in every profile, with what they imply beyond
 * the kernel's own assertions.
 */
@Timeout(60)
class ExclusiveCasesTest {
    private static final int PAGES = 1024;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx1ExclusiveThenCpuIncrements(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final long anonPages = rig.process.rssAnonPages();
        final byte[] mirror = new byte[PAGES * Rig.PAGE];

        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                .isEqualTo(new Result(Errno.OK, PAGES, 0));
        Rig.expectPattern(mirror, 0);
        for (int page = 0; page < PAGES; page++) {
            assertThat(rig.kind(page).isDeviceExclusive()).isTrue();
            assertThat(rig.state(page).mapCount()).isEqualTo(profile.exclusiveKeepsMapcount() ? 1 : 0);
            assertThat(rig.refCount(page)).isEqualTo(1);
            assertThat(rig.tag(rig.device(), page)).isEqualTo(Rig.ATOMIC);
        }
        assertThat(rig.process.rssAnonPages()).isEqualTo(anonPages);
        rig.checker().now(rig.cpu).orThrow();

        rig.drainEvents();
        final long faults = rig.cpu.faults();
        rig.cpu.loadInt(rig.addr(0));
        assertThat(rig.deviceMaps(rig.device(), 1))
                .as("erased with page 0 (Q7)")
                .isFalse();
        assertThat(rig.kind(1).isDeviceExclusive()).isTrue();
        rig.incrementPattern(rig.cpu, PAGES, 0);
        assertThat(rig.cpu.faults() - faults).as("one restore a page").isEqualTo(PAGES);
        final List<Event> restores = rig.drainEvents();
        assertThat(restores).hasSize(PAGES);
        for (int page = 0; page < PAGES; page++) {
            assertThat(restores.get(page)).isEqualTo(new Event(profile.restoreEvent(), page, page + 1, 0));
            assertThat(rig.kind(page)).isEqualTo(PteKind.PRESENT);
            assertThat(rig.isWritable(page)).isTrue();
            assertThat(rig.deviceMaps(rig.device(), page)).isFalse();
        }
        rig.expectPattern(rig.cpu, PAGES, 1);
        assertThat(rig.device().checkExclusive(rig.cpu, Rig.BUFFER, PAGES).errno())
                .isEqualTo(Errno.OK);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx2ExclusiveThenReadOnly(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final byte[] mirror = new byte[PAGES * Rig.PAGE];
        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                .isEqualTo(new Result(Errno.OK, PAGES, 0));
        Rig.expectPattern(mirror, 0);

        rig.drainEvents();
        final long length = (long) PAGES * Rig.PAGE;
        assertThat(rig.process.mprotect(rig.cpu, Rig.BUFFER, length, VmFlags.READ))
                .isEqualTo(Errno.OK);
        assertThat(rig.drainEvents()).containsExactlyElementsOf(protectEvents(profile));
        for (int page = 0; page < PAGES; page++) {
            assertThat(rig.kind(page))
                    .isEqualTo(
                            profile.mprotectDemotesExclusive()
                                    ? PteKind.DEVICE_EXCLUSIVE_READ
                                    : PteKind.DEVICE_EXCLUSIVE);
            assertThat(rig.deviceMaps(rig.device(), page)).isFalse();
        }
        assertThat(rig.device()
                        .write(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror))
                        .errno())
                .isEqualTo(Errno.EPERM);

        // The first half is touched while read-only, the second half stays exclusive.
        rig.expectPattern(rig.cpu, PAGES / 2, 0);
        for (int page = 0; page < PAGES / 2; page++) {
            assertThat(rig.isWritable(page)).isFalse();
            if (profile.mprotectDemotesExclusive()) {
                assertThat(rig.isDirty(page)).isFalse();
            }
        }
        assertThat(rig.cpu.storeInt(Rig.BUFFER, 7)).isEqualTo(Signal.SEGV_ACCERR);

        assertThat(rig.process.mprotect(rig.cpu, Rig.BUFFER, length, Rig.RW)).isEqualTo(Errno.OK);
        final boolean upgraded = profile.mprotectUpgrade() == SemanticProfile.MprotectUpgrade.ALWAYS;
        assertThat(rig.isWritable(0)).isEqualTo(upgraded); // clean after its restore, so K514 leaves it to the fault
        final long faults = rig.cpu.faults();
        assertThat(rig.cpu.storeInt(rig.addr(PAGES - 1), 7)).isEqualTo(Signal.NONE);
        assertThat(rig.cpu.faults() - faults).isEqualTo(profile.restoreDecidesWritable() ? 1 : 2);
        rig.closeAndCheckClean(PAGES);
    }

    /** One span, but kernels before 6.12 open one per table of the level above the leaf tables. */
    private static List<Event> protectEvents(final SemanticProfile profile) {
        // 4 MiB inside one gigabyte: one span either way.
        assertThat(profile.mprotectNotifyLevel()).isPositive();
        return List.of(new Event(NotifierEvent.PROTECTION_VMA, 0, PAGES, 0));
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx3ExclusiveThenForkAndBothWrite(final SemanticProfile profile) throws InterruptedException {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final byte[] mirror = new byte[PAGES * Rig.PAGE];
        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                .isEqualTo(new Result(Errno.OK, PAGES, 0));
        rig.drainEvents();
        final Process child = rig.process.fork(rig.cpu).child();
        assertThat(rig.drainEvents()).containsExactly(new Event(NotifierEvent.PROTECTION_PAGE, 0, PAGES, 0));
        for (int page = 0; page < PAGES; page++) {
            assertThat(rig.deviceMaps(rig.device(), page)).isFalse();
        }
        if (profile.forkExclusive() == ForkExclusive.COPY_DEMOTED) {
            for (int page = 0; page < PAGES; page++) {
                assertThat(rig.kind(page)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
                assertThat(child.pagemap(rig.cpu, rig.addr(page)).kind()).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
                assertThat(rig.refCount(page)).isEqualTo(2);
            }
        } else {
            MomentChecks.afterFork(rig.cpu, rig.process.space(), child.space()).orThrow();
        }

        final AtomicReference<Throwable> failure = new AtomicReference<>();
        final Thread childThread = new Thread(() -> {
            try {
                rig.other.run(child);
                rig.incrementPattern(rig.other, PAGES, 0);
                rig.expectPattern(rig.other, PAGES, 1);
                rig.other.run(null);
                child.exit(rig.other);
            } catch (final Throwable e) {
                failure.set(e);
            }
        });
        childThread.start();
        rig.incrementPattern(rig.cpu, PAGES, 0);
        rig.expectPattern(rig.cpu, PAGES, 1);
        childThread.join();
        assertThat(failure.get()).isNull();
        rig.expectPattern(rig.cpu, PAGES, 1);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx4ExclusiveThenDeviceWrite(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.mapExclusive(PAGES);

        final Result written =
                rig.device().write(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(Rig.pattern(PAGES, 5)));
        assertThat(written.errno()).isEqualTo(Errno.OK);
        assertThat(written.cpages()).isEqualTo(PAGES);
        assertThat(written.faults()).isGreaterThanOrEqualTo(1);
        for (int page = 0; page < PAGES; page++) {
            assertThat(rig.tag(rig.device(), page)).isEqualTo(Rig.WRITE);
            assertThat(rig.isWritable(page)).isTrue();
        }
        rig.expectPattern(rig.cpu, PAGES, 5);
        assertThat(rig.device().checkExclusive(rig.cpu, Rig.BUFFER, PAGES).errno())
                .isEqualTo(Errno.OK);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx5SnapshotOfExclusivePagesRestoresNothing(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.mapExclusive(PAGES);
        rig.drainEvents();
        final byte[] perms = new byte[PAGES];
        Arrays.fill(perms, (byte) 77);

        assertThat(rig.device().snapshot(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(perms)))
                .isEqualTo(new Result(Errno.OK, PAGES, 0));
        assertThat(perms).containsOnly(0);
        assertThat(rig.drainEvents()).isEmpty();
        for (int page = 0; page < PAGES; page++) {
            assertThat(rig.kind(page).isDeviceExclusive()).isTrue();
            assertThat(rig.tag(rig.device(), page)).isEqualTo(Rig.ATOMIC);
        }
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx6SecondDeviceTakesThePages(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 2);
        rig.map(4);
        rig.writePattern(rig.cpu, 4, 0);
        final DeviceBuffer sink = DeviceBuffer.ofArray(new byte[4 * Rig.PAGE]);
        assertThat(rig.devices.get(0).exclusive(rig.cpu, Rig.BUFFER, 4, sink).errno())
                .isEqualTo(Errno.OK);
        rig.drainEvents();

        assertThat(rig.devices.get(1).exclusive(rig.cpu, Rig.BUFFER, 4, sink).errno())
                .isEqualTo(Errno.OK);
        final List<Event> events = rig.drainEvents();
        assertThat(events).hasSize(8);
        for (int page = 0; page < 4; page++) {
            final Event restore = new Event(profile.restoreEvent(), page, page + 1, 0);
            final Event make = new Event(profile.makeEvent(), page, page + 1, 0);
            if (profile.makeOnePage()) {
                assertThat(events.subList(2 * page, 2 * page + 2)).containsExactly(restore, make);
            } else { // GUP of all pages first, then the conversions
                assertThat(events.get(page)).isEqualTo(restore);
                assertThat(events.get(4 + page)).isEqualTo(make);
            }
        }
        assertThat(rig.devices.get(0).checkExclusive(rig.cpu, Rig.BUFFER, 4).errno())
                .isEqualTo(Errno.OK);
        assertThat(rig.devices.get(1).checkExclusive(rig.cpu, Rig.BUFFER, 4).errno())
                .isEqualTo(Errno.EPERM);
        rig.checker().now(rig.cpu).orThrow();
        rig.closeAndCheckClean(4);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx7UntouchedZeroCowAndReadOnlyPages(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(4);
        final DeviceBuffer sink = DeviceBuffer.ofArray(new byte[4 * Rig.PAGE]);
        // Page 0 untouched: allocated, no event but the conversion's.
        rig.drainEvents();
        assertThat(rig.device().exclusive(rig.cpu, rig.addr(0), 1, sink).errno())
                .isEqualTo(Errno.OK);
        assertThat(rig.drainEvents()).containsExactly(new Event(profile.makeEvent(), 0, 1, 0));
        // Page 1 read once, so the zero frame: copied, then converted.
        rig.cpu.loadInt(rig.addr(1));
        assertThat(rig.state(1).zero()).isTrue();
        assertThat(rig.device().exclusive(rig.cpu, rig.addr(1), 1, sink).errno())
                .isEqualTo(Errno.OK);
        assertThat(rig.drainEvents())
                .containsExactly(new Event(NotifierEvent.CLEAR, 1, 2, 0), new Event(profile.makeEvent(), 1, 2, 0));
        // Page 2 shared with a child: copied; the child is not affected.
        rig.cpu.storeInt(rig.addr(2), 42);
        final Process child = rig.process.fork(rig.cpu).child();
        rig.drainEvents();
        assertThat(rig.device().exclusive(rig.cpu, rig.addr(2), 1, sink).errno())
                .isEqualTo(Errno.OK);
        assertThat(rig.drainEvents())
                .containsExactly(new Event(NotifierEvent.CLEAR, 2, 3, 0), new Event(profile.makeEvent(), 2, 3, 0));
        rig.other.run(child);
        rig.other.loadInt(rig.addr(2));
        assertThat(rig.other.value()).isEqualTo(42);
        rig.other.run(null);
        child.exit(rig.cpu);
        // Page 3 read-only: refused, nothing changed.
        rig.process.mprotect(rig.cpu, rig.addr(3), Rig.PAGE, VmFlags.READ);
        rig.drainEvents();
        assertThat(rig.device().exclusive(rig.cpu, rig.addr(3), 1, sink).errno())
                .isEqualTo(profile.deviceReportsErrno() ? Errno.EFAULT : Errno.EBUSY);
        assertThat(rig.drainEvents()).isEmpty();
        assertThat(rig.kind(3)).isEqualTo(PteKind.NONE);
        rig.closeAndCheckClean(4);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx9ExclusiveThenDiscard(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.mapExclusive(8);
        final long[] frames = rig.frames(8);
        rig.drainEvents();

        assertThat(rig.process.madvise(rig.cpu, Rig.BUFFER, 8 * Rig.PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);

        assertThat(rig.drainEvents()).containsExactly(new Event(NotifierEvent.CLEAR, 0, 8, 0));
        for (int page = 0; page < 8; page++) {
            assertThat(rig.kind(page)).isEqualTo(PteKind.NONE);
            assertThat(rig.machine.platform().frames().refCount(frames[page])).isZero();
            assertThat(rig.deviceMaps(rig.device(), page)).isFalse();
            rig.cpu.loadInt(rig.addr(page));
            assertThat(rig.cpu.value()).isZero();
        }
        assertThat(rig.process.rssAnonPages()).isZero();
        assertThat(rig.device().checkExclusive(rig.cpu, Rig.BUFFER, 8).errno()).isEqualTo(Errno.OK);
        rig.closeAndCheckClean(8);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx9ExclusiveThenLazyFree(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.mapExclusive(8);
        rig.drainEvents();

        assertThat(rig.process.madvise(rig.cpu, Rig.BUFFER, 8 * Rig.PAGE, Advice.FREE))
                .isEqualTo(Errno.OK);

        assertThat(rig.drainEvents()).containsExactly(new Event(NotifierEvent.CLEAR, 0, 8, 0));
        for (int page = 0; page < 8; page++) {
            assertThat(rig.kind(page).isDeviceExclusive()).isTrue(); // an orphan
            assertThat(rig.deviceMaps(rig.device(), page)).isFalse();
        }
        assertThat(rig.device().checkExclusive(rig.cpu, Rig.BUFFER, 8).errno()).isEqualTo(Errno.OK);
        rig.checker().now(rig.cpu).orThrow();
        rig.expectPattern(rig.cpu, 8, 0);
        rig.closeAndCheckClean(8);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx9ExclusiveThenMove(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.mapExclusive(8);
        final long[] frames = rig.frames(8);
        rig.drainEvents();
        final long length = 8 * Rig.PAGE;
        final int moved = 1000; // pages further on

        assertThat(rig.process.mremap(rig.cpu, Rig.BUFFER, length, rig.addr(moved), false))
                .isEqualTo(Errno.OK);

        // E10: the old range, twice: moving its entries, and unmapping what is left of it. Nothing about the new one.
        final Event old = new Event(NotifierEvent.UNMAP, 0, 8, 0);
        assertThat(rig.drainEvents()).containsExactly(old, old);
        for (int page = 0; page < 8; page++) {
            assertThat(rig.state(page).mapped()).isFalse();
            assertThat(rig.kind(moved + page).isDeviceExclusive()).isTrue(); // an orphan
            assertThat(rig.state(moved + page).frame()).isEqualTo(frames[page]);
            assertThat(rig.deviceMaps(rig.device(), page)).isFalse();
            assertThat(rig.deviceMaps(rig.device(), moved + page)).isFalse();
        }
        rig.checker().atQuiescence(rig.cpu).orThrow();
        for (int k = 0; k < 8 * Rig.WORDS; k++) {
            rig.cpu.loadInt(rig.addr(moved) + 4L * k);
            assertThat(rig.cpu.value()).isEqualTo(k);
        }
        rig.closeAndCheckClean(moved + 8);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx11ForkFailsWhileAPageIsLocked(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.mapExclusive(3);
        // A driver between its mmap unlock and its page unlock.
        final Task driver = rig.machine.newTask("driver");
        final long pfn = rig.state(1).frame();
        rig.machine.platform().frames().get(pfn);
        rig.machine.platform().pageLock().lock(driver, pfn);

        final Process.Forked failed = rig.process.fork(rig.cpu);
        if (profile.forkExclusive() == ForkExclusive.COPY_DEMOTED) {
            assertThat(failed.errno()).isEqualTo(Errno.OK);
            failed.child().exit(rig.cpu);
        } else {
            assertThat(failed.errno()).isEqualTo(Errno.ENOMEM);
            assertThat(failed.child()).isNull();
            assertThat(rig.kind(0)).isEqualTo(PteKind.PRESENT); // restored before the failing one, and stays so
            assertThat(rig.kind(1).isDeviceExclusive()).isTrue();
            assertThat(rig.kind(2).isDeviceExclusive()).isTrue();
            assertThat(rig.machine.spaces()).hasSize(1);
        }
        rig.machine.platform().pageLock().unlock(driver, pfn);
        rig.machine.platform().putPage(pfn);
        rig.checker().atQuiescence(rig.cpu).orThrow();

        final Process child = rig.process.fork(rig.cpu).child();
        assertThat(child).isNotNull();
        rig.checker().atQuiescence(rig.cpu).orThrow();
        child.exit(rig.cpu);
        rig.expectPattern(rig.cpu, 3, 0);
        rig.closeAndCheckClean(3);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void makeReturnsALockedReferencedExclusivePage(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(1);
        rig.cpu.storeInt(Rig.BUFFER, 1);
        final long[] pages = new long[1];
        rig.process.space().mmapLock().readLock(rig.cpu);
        if (profile.makeOnePage()) {
            pages[0] = ExclusiveMaker.makeOne(rig.cpu, rig.process.space(), Rig.BUFFER, 9);
        } else {
            assertThat(ExclusiveMaker.makeRange(rig.cpu, rig.process.space(), Rig.BUFFER, 1, 9, pages))
                    .isEqualTo(1);
        }
        rig.process.space().mmapLock().readUnlock(rig.cpu);
        MomentChecks.afterMake(rig.cpu, rig.process.space(), Rig.BUFFER, pages[0])
                .orThrow();
        assertThat(rig.drainEvents())
                .containsExactly(
                        new Event(profile.makeEvent(), 0, 1, profile.makeEvent() == NotifierEvent.EXCLUSIVE ? 9 : 0));
        rig.machine.platform().pageLock().unlock(rig.cpu, pages[0]);
        rig.machine.platform().putPage(pages[0]);
        rig.closeAndCheckClean(1);
    }
}
