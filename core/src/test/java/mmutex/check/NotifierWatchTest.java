package mmutex.check;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import mmutex.check.NotifierWatch.WatchedCallback;
import mmutex.check.NotifierWatch.WatchedSubscriber;
import mmutex.device.DeviceAccess;
import mmutex.device.SvmDevice;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

/** The watch sees what is wrong, and nothing else. */
@HangGuard
class NotifierWatchTest {
    private final Emulation emulation = new Emulation();
    private final NotifierRange range = new NotifierRange();

    private NotifierWatch watch() {
        return NotifierWatch.of(emulation.cpu, emulation.space);
    }

    private void span(final NotifierEvent event, final long owner) {
        range.init(event, addr(0), addr(1), owner);
        emulation.space.notifiers().start(emulation.cpu, range);
        emulation.space.notifiers().end(emulation.cpu, range);
    }

    private void insert(final IntervalSubscription subscription) {
        emulation.space.insert(emulation.cpu, subscription, addr(0), PAGE);
    }

    private static void assertOnly(final NotifierWatch watch, final String invariant) {
        assertThat(watch.report().violations()).singleElement().asString().startsWith(invariant);
    }

    @Test
    void shouldFindNothingWrongWithADeviceAtWork() {
        final SvmDevice device = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> 0);
        final NotifierWatch watch = watch().with(device);
        emulation.mapWritten(0, 2);
        for (final DeviceAccess access : DeviceAccess.values()) {
            device.driver().resolve(device.worker(), addr(0), access);
            emulation.load(0);
        }
        assertThat(watch.spans()).isPositive();
        assertThat(watch.report().checkedInvariants()).contains("I10", "I12", "I23", "I24", "I25", "I31");
        watch.report().orThrow();
        watch.without(device);
        emulation.machine.removeDevice(emulation.cpu, device);
        watch.unwatch(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldSeeACallbackThatIgnoresWhatIsNotItsOwn() {
        final NotifierWatch watch = watch();
        final WatchedCallback deaf = watch.watched((actor, guard, span, sequence) -> true);
        final IntervalSubscription subscription = new IntervalSubscription(deaf.callback());
        insert(subscription);

        span(NotifierEvent.EXCLUSIVE, 5); // somebody's; the wrapper knows that it is not this one's

        assertOnly(watch, "I31");
        emulation.space.notifiers().remove(emulation.cpu, subscription);
    }

    @Test
    void shouldSeeASubscriptionThatWasNotCalled() {
        final NotifierWatch watch = watch();
        final IntervalSubscription subscription = new IntervalSubscription((actor, guard, span, sequence) -> true);
        insert(subscription);

        span(NotifierEvent.CLEAR, 5);

        assertOnly(watch, "I12");
        emulation.space.notifiers().remove(emulation.cpu, subscription);
    }

    @Test
    void shouldSeeADeviceThatKeepsItsMapping() {
        final NotifierWatch early = watch();
        final SvmDevice device = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> 0);
        early.with(device); // stands before the device, so it sees the mapping that the device has not yet dropped
        emulation.mapWritten(0, 1);
        device.driver().resolve(device.worker(), addr(0), DeviceAccess.WRITE);

        span(NotifierEvent.MIGRATE, device.owner());
        assertThat(early.report().violations()).isEmpty();
        span(NotifierEvent.CLEAR, 0);
        assertOnly(early, "I31");
    }

    /**
     * A migration's callbacks are through before a driver maps the page that it is making exclusive: what V3 allows, since
     * its drivers have no sequence to check. Where they have one the device would try again.
     */
    @Test
    void shouldAllowADriverWithoutASequenceToMapBehindItsCallback() throws InterruptedException {
        final Emulation v3 = new Emulation(SemanticProfile.V3);
        final SvmDevice device = v3.machine.newDevice(v3.cpu, v3.process, 1, () -> 0);
        v3.mapWritten(0, 1);
        final Cpu migrating = v3.machine.cpu(1);
        final long page = addr(0) / PAGE;
        final CountDownLatch making = new CountDownLatch(1);
        final CountDownLatch calledBack = new CountDownLatch(1);
        v3.space.register(v3.cpu, new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange span) {
                making.countDown();
                if (actor == migrating) {
                    calledBack.countDown();
                    // The fault itself is not over before this span: it removes its range.
                    while (device.table().nextValid(page, page + 1) != page) {
                        Thread.yield();
                    }
                } else {
                    await(calledBack);
                }
                return true;
            }
        });
        final NotifierWatch watch = NotifierWatch.of(v3.cpu, v3.space).with(device);
        final Crew crew = new Crew();
        crew.start(
                "device",
                () -> assertThat(device.driver().resolve(device.worker(), addr(0), DeviceAccess.ATOMIC))
                        .isEqualTo(Errno.OK));
        crew.start("migrating", () -> {
            await(making);
            final NotifierRange migration = new NotifierRange();
            migration.init(NotifierEvent.MIGRATE, addr(0), addr(1), NotifierRange.NO_OWNER);
            v3.space.notifiers().start(migrating, migration);
            v3.space.notifiers().end(migrating, migration);
        });
        crew.join();

        assertThat(watch.spans()).isEqualTo(2);
        watch.report().orThrow();
    }

    private static void await(final CountDownLatch latch) {
        try {
            latch.await();
        } catch (final InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void shouldSeeACallbackOfOneThatIsGone() {
        final NotifierWatch watch = watch();
        final WatchedSubscriber subscriber = watch.watched(new NotifierSubscriber() {});
        emulation.space.register(emulation.cpu, subscriber.subscriber());
        span(NotifierEvent.CLEAR, 0);
        watch.report().orThrow();
        subscriber.handle().gone(); // a lie
        span(NotifierEvent.CLEAR, 0);
        assertOnly(watch, "I24");
    }

    @Test
    void shouldSeeASecondRelease() {
        final NotifierWatch watch = watch();
        final WatchedSubscriber subscriber = watch.watched(new NotifierSubscriber() {});
        emulation.space.register(emulation.cpu, subscriber.subscriber());
        emulation.space.notifiers().release(emulation.cpu, range);
        watch.report().orThrow();
        subscriber.subscriber().release(emulation.cpu);
        watch.release(emulation.cpu);
        assertThat(watch.report().violations()).hasSize(2).allMatch(text -> text.startsWith("I25"));
    }

    @Test
    void shouldSeeADeviceThatMapsWhatWasReleased() {
        final NotifierWatch early = watch();
        final SvmDevice device = emulation.machine.newDevice(emulation.cpu, emulation.process, 1, () -> 0);
        early.with(device);
        emulation.mapWritten(0, 1);
        device.driver().resolve(device.worker(), addr(0), DeviceAccess.WRITE);
        early.release(emulation.cpu);
        assertOnly(early, "I25");
    }

    @Test
    void shouldSeeAReaderThatDoesNotWait() {
        final NotifierWatch watch = watch();
        final IntervalSubscription subscription = new IntervalSubscription((actor, guard, span, sequence) -> {
            guard.setSeq(sequence);
            return true;
        });
        insert(subscription);
        final RangeGuard patient = watch.watched((RangeGuard) subscription);
        patient.readBegin(emulation.cpu);
        watch.report().orThrow();
        // A reader that does not wait samples the sequence under invalidation.
        range.init(NotifierEvent.CLEAR, addr(0), addr(1));
        emulation.space.notifiers().start(emulation.cpu, range);
        watch.sampled(emulation.cpu, subscription.seq());
        emulation.space.notifiers().end(emulation.cpu, range);
        assertOnly(watch, "I23");
        emulation.space.notifiers().remove(emulation.cpu, subscription);
    }
}
