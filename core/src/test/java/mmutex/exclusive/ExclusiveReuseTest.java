package mmutex.exclusive;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceAccess;
import mmutex.device.DevicePte;
import mmutex.device.SvmDevice;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Taking an exclusive page as it is. */
@HangGuard
class ExclusiveReuseTest {
    private static final long OWNER = 40;

    private static Stream<SemanticProfile> profilesWithOwner() {
        return SemanticProfile.ALL.stream().filter(SemanticProfile::makePassesOwner);
    }

    private static long take(final Emulation emulation) {
        emulation.space.mmapLock().readLock(emulation.cpu);
        final long pfn = ExclusiveReuse.take(emulation.cpu, emulation.space, addr(0), OWNER);
        emulation.space.mmapLock().readUnlock(emulation.cpu);
        return pfn;
    }

    @ParameterizedTest
    @MethodSource("profilesWithOwner")
    void shouldLockThePageAndTakeItFromOtherDevices(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 1);
        final SvmDevice other = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> 0);
        other.driver().resolve(other.worker(), addr(0), DeviceAccess.ATOMIC);
        final long pte = emulation.pte(0);
        final List<Event> events = emulation.record();

        final long pfn = take(emulation);

        assertThat(pfn).isEqualTo(emulation.frame(0));
        assertThat(emulation.pte(0)).isEqualTo(pte); // neither restored nor made again
        assertThat(events).containsExactly(new Event(profile.makeEvent(), 0, 1, OWNER));
        assertThat(other.table().load(addr(0) / PAGE)).isEqualTo(DevicePte.NONE);
        assertThat(emulation.platform.pageLock().isLocked(pfn)).isTrue();
        assertThat(emulation.frames.refCount(pfn)).isEqualTo(2);
        emulation.platform.pageLock().unlock(emulation.cpu, pfn);
        emulation.platform.putPage(pfn);
        emulation.machine.removeDevice(emulation.cpu, other);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldTakeNothingElse() {
        final Emulation emulation = new Emulation();
        assertThat(take(emulation)).isEqualTo(ExclusiveMaker.NULL_SLOT); // no table
        emulation.map(0, 1, READ_WRITE);
        emulation.load(0);
        assertThat(take(emulation)).isEqualTo(ExclusiveMaker.NULL_SLOT); // the zero page
        emulation.store(0, 1);
        final long pfn = emulation.frame(0);
        assertThat(take(emulation)).isEqualTo(ExclusiveMaker.NULL_SLOT);
        assertThat(emulation.frames.refCount(pfn)).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    /** A zap needs no page lock: it may take the entry while others are told. */
    @Test
    void shouldGiveThePageBackIfItsEntryIsZappedMeanwhile() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 1);
        final SvmDevice other = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> 0);
        other.driver().resolve(other.worker(), addr(0), DeviceAccess.ATOMIC);
        final long pfn = emulation.frame(0);
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            @Override
            public void invalidateEnd(final Actor actor, final NotifierRange range) {
                if (range.owner() == OWNER && emulation.pte(0) != emulation.encoding.empty()) {
                    range.init(range.event(), range.start(), range.end(), 0);
                    emulation.process.madvise((Task) actor, addr(0), PAGE, Advice.DONTNEED);
                }
            }
        });

        assertThat(take(emulation)).isEqualTo(ExclusiveMaker.NULL_SLOT);

        assertThat(emulation.frames.refCount(pfn)).isZero();
        assertThat(emulation.platform.pageLock().isLocked(pfn)).isFalse();
        emulation.machine.removeDevice(emulation.cpu, other);
        emulation.assertNothingIsLeft();
    }
}
