package mmutex.conformance;

import static mmutex.conformance.DriverRig.ATOMIC;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import mmutex.change.Reaper;
import mmutex.check.NotifierWatch;
import mmutex.conformance.DriverRig.Setting;
import mmutex.device.DeviceAccess;
import mmutex.device.RetryPolicy;
import mmutex.machine.Emulation;
import mmutex.mm.Errno;
import mmutex.mm.Quirk;
import mmutex.mm.RangeTracker;
import mmutex.notify.IntervalCallback;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.Protocol;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import mmutex.sync.PausingActor;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Scenarios of the protocols themselves, on each of them. Those in which nothing but a protocol takes part, CN-20 to CN-22,
 * don't run in every profile: package notify knows none (ArchitectureTest).
 */
@HangGuard
class NotifierCasesTest {
    private static Stream<Setting> withOwner() {
        return Setting.withOwner();
    }

    // ---- non-blockable spans --------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-16: a non-blockable start is refused by the driver; nothing changes, nothing stays open")
    void cn16Refused(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 2);
        rig.fault(0, DeviceAccess.ATOMIC);
        final long pte = rig.emulation.pte(0);

        assertThat(Reaper.reap(rig.emulation.cpu, rig.emulation.space)).isEqualTo(Errno.EAGAIN);

        assertThat(rig.emulation.pte(0)).isEqualTo(pte);
        assertThat(rig.emulation.frames.refCount(rig.emulation.frame(1))).isEqualTo(1);
        assertThat(rig.flags(0)).isEqualTo(ATOMIC);
        assertThat(rig.emulation.space.notifiers().snapshot(rig.emulation.cpu).activeSpans())
                .isZero();
        // The next faults find the way free.
        assertThat(rig.fault(0, DeviceAccess.WRITE)).isEqualTo(Errno.OK);
        assertThat(rig.fault(1, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        rig.end();
    }

    /** I32: it may not even wait for a device's worker to look at its ring. */
    @ParameterizedTest
    @MethodSource("withOwner")
    @DisplayName("CN-16: a non-blockable start does not wait for a driver in the middle of a fault")
    void cn16RefusedAtOnce(final Setting setting) {
        final DriverRig rig = new DriverRig(setting, 1);
        rig.emulation.mapWritten(0, 1);
        final AtomicReference<Errno> result = new AtomicReference<>();
        rig.afterConversion(rig.device(), worker -> {
            final Crew crew = new Crew();
            crew.start(
                    "reaper",
                    () -> result.set(Reaper.reap(rig.emulation.machine.newTask("reaper"), rig.emulation.space)));
            try {
                crew.join();
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });

        assertThat(rig.fault(0, DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);

        assertThat(result).hasValue(Errno.EAGAIN);
        rig.assertMaps(rig.device(), 0, ATOMIC);
        rig.assertAtRest(0);
        rig.end();
    }

    /** HMM_MIRROR counts back by itself. */
    private static Stream<Setting> leaking() {
        return Setting.inlineWithOwner().filter(setting -> setting.protocol() != Protocol.HMM_MIRROR);
    }

    @ParameterizedTest
    @MethodSource("leaking")
    @DisplayName("CN-16, Q3: the refused span stays counted, and the next reader waits for it for ever")
    void cn16LeakedSpan(final Setting setting) throws InterruptedException {
        final DriverRig rig = new DriverRig(setting, 1, RetryPolicy.PREFAULT, Quirk.LEAKED_SPAN);
        rig.emulation.mapWritten(0, 1);
        rig.fault(0, DeviceAccess.ATOMIC);

        assertThat(Reaper.reap(rig.emulation.cpu, rig.emulation.space)).isEqualTo(Errno.EAGAIN);

        assertThat(rig.emulation.space.notifiers().snapshot(rig.emulation.cpu).activeSpans())
                .isEqualTo(1);
        final AtomicBoolean resolved = new AtomicBoolean();
        final Crew crew = new Crew();
        crew.start("worker", () -> {
            rig.fault(0, DeviceAccess.ATOMIC);
            resolved.set(true);
        });
        while (rig.emulation.space.notifiers().snapshot(rig.emulation.cpu).subscriptionSeqs().length == 0) {
            Thread.yield();
        }
        DriverRig.letOthersRun();
        assertThat(resolved).isFalse();
        // Only the end that nobody will send frees it; the test sends it.
        rig.emulation.space.notifiers().end(rig.emulation.cpu, new NotifierRange());
        crew.join();
        rig.end();
    }

    // ---- a subscription, by hand ----------------------------------------------------------------------------

    /** A tracker of one page whose callback takes part in the protocol, and spans over that page and others. */
    private static final class Tracked {
        private final Emulation emulation = new Emulation();
        private final PausingActor reader = new PausingActor(900);
        private final NotifierRange range = new NotifierRange();
        private final AtomicInteger calls = new AtomicInteger();
        private final NotifierWatch watch;
        private final RangeTracker tracker;
        private final RangeGuard guard;
        private final NotifierWatch.Watched handle;

        private Tracked(final Protocol protocol) {
            watch = NotifierWatch.of(emulation.cpu, emulation.space);
            final NotifierWatch.WatchedCallback watched = watch.watched(new IntervalCallback() {
                @Override
                public boolean invalidate(
                        final Actor actor, final RangeGuard hit, final NotifierRange span, final long sequence) {
                    calls.incrementAndGet();
                    hit.setSeq(sequence);
                    return true;
                }
            });
            handle = watched.handle();
            tracker = RangeTracker.of(
                    protocol, emulation.space, watched.callback(), new NotifierSubscriber() {}, () -> 0);
            assertThat(tracker.attach(emulation.cpu)).isEqualTo(Errno.OK);
            // The first interval subscription of a space excludes spans; here spans run when the case inserts its own.
            insert(emulation.cpu);
            tracker.remove(emulation.cpu);
            guard = watch.watched(tracker.guard());
        }

        private void insert(final Actor actor) {
            assertThat(tracker.insert(actor, addr(4), PAGE)).isEqualTo(Errno.OK);
        }

        private void start(final long page) {
            emulation
                    .space
                    .notifiers()
                    .start(emulation.cpu, range.init(NotifierEvent.CLEAR, addr(page), addr(page + 1)));
        }

        private void end(final long page) {
            emulation.space.notifiers().end(emulation.cpu, range.init(NotifierEvent.CLEAR, addr(page), addr(page + 1)));
        }

        private void close() {
            tracker.detach(emulation.cpu);
            watch.unwatch(emulation.cpu);
            emulation.assertNothingIsLeft();
            watch.report().orThrow();
        }
    }

    @ParameterizedTest
    @EnumSource(Protocol.class)
    @DisplayName("CN-20: insert during an invalidation of the page returns at once; readers wait for its end")
    void cn20InsertDuringInvalidation(final Protocol protocol) throws InterruptedException {
        final Tracked tracked = new Tracked(protocol);
        tracked.start(4);
        tracked.insert(tracked.reader);
        assertThat(tracked.reader.pauses()).isZero();
        final AtomicBoolean begun = new AtomicBoolean();
        final Crew crew = new Crew();
        crew.start("reader", () -> {
            final long sample = tracked.guard.readBegin(tracked.reader);
            begun.set(true);
            assertThat(sample).isNotEqualTo(RangeGuard.NO_SAMPLE);
            assertThat(tracked.guard.readRetry(sample)).isFalse();
        });
        tracked.reader.awaitWaiting();
        DriverRig.letOthersRun();
        assertThat(begun).isFalse();

        tracked.end(4);

        crew.join();
        tracked.tracker.remove(tracked.reader);
        tracked.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = Protocol.class,
            mode = Mode.EXCLUDE,
            names = {"HMM_MIRROR"})
    @DisplayName("CN-21: remove during an invalidation returns after its end; no callback comes later")
    void cn21RemoveDuringInvalidation(final Protocol protocol) throws InterruptedException {
        final Tracked tracked = new Tracked(protocol);
        tracked.insert(tracked.emulation.cpu);
        tracked.start(4);
        assertThat(tracked.calls).hasValue(1);
        final AtomicBoolean removed = new AtomicBoolean();
        final Crew crew = new Crew();
        crew.start("remover", () -> {
            tracked.tracker.remove(tracked.reader);
            tracked.handle.gone(); // I24
            removed.set(true);
        });
        tracked.reader.awaitWaiting();
        tracked.start(4); // overlapping ones go on calling it meanwhile: the removal is deferred
        assertThat(tracked.calls).hasValue(2);
        tracked.end(4);
        DriverRig.letOthersRun();
        assertThat(removed).isFalse();

        tracked.end(4);

        crew.join();
        tracked.start(4);
        tracked.end(4);
        assertThat(tracked.calls).hasValue(2);
        tracked.close();
    }

    @ParameterizedTest
    @EnumSource(Protocol.class)
    @DisplayName("CN-21: detach waits for callbacks of the driver that are running")
    void cn21DetachDuringCallback(final Protocol protocol) throws InterruptedException {
        final Emulation emulation = new Emulation();
        final NotifierWatch watch = NotifierWatch.of(emulation.cpu, emulation.space);
        final AtomicBoolean inside = new AtomicBoolean();
        final AtomicBoolean goOn = new AtomicBoolean();
        final NotifierWatch.WatchedSubscriber watched = watch.watched(new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                inside.set(true);
                while (!goOn.get()) {
                    Thread.yield();
                }
                return true;
            }
        });
        final RangeTracker tracker = RangeTracker.of(
                protocol, emulation.space, (actor, guard, range, sequence) -> true, watched.subscriber(), () -> 0);
        tracker.attach(emulation.cpu);
        final Crew crew = new Crew();
        crew.start("span", () -> {
            final Actor sender = new Actor(901, "sender");
            final NotifierRange range = new NotifierRange().init(NotifierEvent.CLEAR, addr(4), addr(5));
            emulation.space.notifiers().start(sender, range);
            emulation.space.notifiers().end(sender, range);
        });
        while (!inside.get()) {
            Thread.yield();
        }
        final AtomicBoolean detached = new AtomicBoolean();
        crew.start("remover", () -> {
            final Actor remover = new Actor(902, "remover");
            tracker.detach(remover);
            emulation.platform.srcu().barrier(remover);
            watched.handle().gone();
            detached.set(true);
        });
        DriverRig.letOthersRun();
        assertThat(detached).isFalse();

        goOn.set(true);

        crew.join();
        emulation.mapWritten(0, 1);
        emulation.process.munmap(emulation.cpu, addr(0), PAGE);
        watch.unwatch(emulation.cpu);
        watch.report().orThrow();
        emulation.assertNothingIsLeft();
    }

    // ---- three spans ----------------------------------------------------------------------------------------

    /**
     * Three invalidations of the page start and end in every order: 90, the 20 in which none begins behind the end of all
     * others among them. A reader begins in each gap; it returns when none that hit the page runs, and not before.
     */
    @ParameterizedTest
    @EnumSource(Protocol.class)
    @DisplayName("CN-22: three overlapping invalidations in every order, a reader in each gap")
    void cn22ThreeInvalidations(final Protocol protocol) throws InterruptedException {
        final Tracked tracked = new Tracked(protocol);
        tracked.insert(tracked.emulation.cpu);
        final List<int[]> orders = new ArrayList<>();
        permute(new int[6], 0, 0, orders);
        int actorId = 1000;
        for (final int[] order : orders) {
            for (int gap = 0; gap <= order.length; gap++) {
                runOrder(tracked, protocol, order, gap, new PausingActor(actorId++));
            }
        }
        tracked.tracker.remove(tracked.emulation.cpu);
        tracked.close();
    }

    /** Steps 0 to 2 are starts, 3 to 5 the ends of the same spans. */
    private static void permute(final int[] order, final int length, final int used, final List<int[]> orders) {
        if (length == order.length) {
            orders.add(order.clone());
            return;
        }
        for (int step = 0; step < order.length; step++) {
            if ((used & 1 << step) == 0 && (step < 3 || (used & 1 << step - 3) != 0)) {
                order[length] = step;
                permute(order, length + 1, used | 1 << step, orders);
            }
        }
    }

    private static void runOrder(
            final Tracked tracked, final Protocol protocol, final int[] order, final int gap, final PausingActor reader)
            throws InterruptedException {
        final String what = Arrays.toString(order) + ", reader in gap " + gap;
        final AtomicBoolean returned = new AtomicBoolean();
        final Crew crew = new Crew();
        boolean waits = false;
        int active = 0;
        for (int at = 0; at <= order.length; at++) {
            if (at == gap) {
                waits = active > 0;
                if (waits) {
                    crew.start("reader", () -> {
                        tracked.guard.readBegin(reader);
                        returned.set(true);
                    });
                    reader.awaitWaiting();
                } else {
                    tracked.guard.readBegin(reader);
                    assertThat(reader.pauses()).as(what).isZero();
                }
            }
            if (at == order.length) {
                break;
            }
            if (order[at] < 3) {
                tracked.start(4);
                active++;
            } else {
                if (waits) {
                    assertThat(returned).as(what).isFalse();
                }
                tracked.end(4);
                active--;
                if (waits && active > 0) {
                    reader.awaitAnotherLook();
                    assertThat(returned).as(what).isFalse();
                } else if (waits) {
                    crew.join();
                    assertThat(returned).as(what).isTrue();
                    waits = false;
                }
            }
            if (protocol != Protocol.HMM_MIRROR) { // I8
                final long seq = tracked.emulation
                        .space
                        .notifiers()
                        .snapshot(tracked.emulation.cpu)
                        .seq();
                assertThat(seq & 1).as(what).isEqualTo(active > 0 ? 1 : 0);
            }
        }
    }
}
