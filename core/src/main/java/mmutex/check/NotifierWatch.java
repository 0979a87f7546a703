package mmutex.check;

import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import mmutex.device.SvmDevice;
import mmutex.mm.AddressSpace;
import mmutex.mm.Task;
import mmutex.notify.IntervalCallback;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierState.Snapshot;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;

/**
 * Watches the notifications of one address space from inside: I10, I12, I23, I24, I25 and I31, which no scan can see.
 *
 * <p>It is a list subscriber, so it stands between the start of every span and the change, behind all subscribers that were
 * registered before it: register it last, on the address space, and {@link #unwatch} it. What it can't see from there it
 * sees through wrappers: {@link #watched(IntervalCallback)}, {@link #watched(NotifierSubscriber)},
 * {@link #watched(RangeGuard)}. Costs nothing where it is not used.
 *
 * <p>Threads: any; what it finds is in {@link #report}.
 */
public final class NotifierWatch implements NotifierSubscriber {
    private final AddressSpace space;
    private final Queue<String[]> violations = new ConcurrentLinkedQueue<>();
    private final Set<SvmDevice> devices = ConcurrentHashMap.newKeySet();

    /** Changes of the index that were counted when the sequence had this odd value (I10). */
    private final Map<Long, Long> indexChanges = new ConcurrentHashMap<>();

    private final AtomicInteger releases = new AtomicInteger();
    private final AtomicLong spans = new AtomicLong();

    private NotifierWatch(final AddressSpace space) {
        this.space = space;
    }

    /** Begins to watch an address space. */
    public static NotifierWatch of(final Task task, final AddressSpace space) {
        final NotifierWatch watch = new NotifierWatch(space);
        space.register(task, watch);
        return watch;
    }

    /** Includes a device that is attached to the address space: what it may ignore, and that it lets go. */
    public NotifierWatch with(final SvmDevice device) {
        devices.add(device);
        return this;
    }

    /** Excludes it: it is about to be detached. */
    public void without(final SvmDevice device) {
        devices.remove(device);
    }

    /** Ends the watch. */
    public void unwatch(final Task task) {
        space.notifiers().put(task, this);
        space.platform().srcu().barrier(task);
    }

    /** Spans seen. */
    public long spans() {
        return spans.get();
    }

    /** What was found so far. */
    public CheckReport report() {
        final CheckReport report = new CheckReport();
        report.looking("I10", "I12", "I23", "I24", "I25", "I31");
        violations.forEach(violation -> report.violated(violation[0], violation[1]));
        return report;
    }

    private void violated(final String invariant, final String what) {
        violations.add(new String[] {invariant, space + ": " + what});
    }

    // ---- from inside the spans ------------------------------------------------------------------------------

    @Override
    public boolean invalidateStart(final Actor actor, final NotifierRange range) {
        spans.incrementAndGet();
        checkIndex(space.notifiers().snapshot(actor));
        checkCalled(actor, range);
        checkUnmapped(range);
        return true;
    }

    /** I10: while the sequence keeps an odd value, the index keeps its contents. */
    private void checkIndex(final Snapshot snapshot) {
        if ((snapshot.seq() & 1) != 0) {
            final Long before = indexChanges.put(snapshot.seq(), snapshot.indexChanges());
            if (before != null && before != snapshot.indexChanges()) {
                violated("I10", "the index was changed while the sequence stayed at " + snapshot.seq());
            }
        }
    }

    /**
     * I12, I31: the interval stage is over, so every indexed subscription that overlaps has been called: its sequence is the
     * current one, unless the event was its own.
     */
    private void checkCalled(final Actor actor, final NotifierRange range) {
        for (final IntervalSubscription subscription : space.notifiers().overlapping(actor, range)) {
            final long seq = space.notifiers().snapshot(actor).seq();
            final boolean moved = subscription.seq() == seq;
            if (!moved && !mayIgnore(subscription, range)) {
                violated("I12", "a subscription was not called, or ignored " + range);
            }
        }
    }

    private boolean mayIgnore(final IntervalSubscription subscription, final NotifierRange range) {
        if (!carriesOwner(range)) {
            return false;
        }
        for (final SvmDevice device : devices) {
            if (device.driver().guard() == subscription) {
                return range.owner() == device.owner();
            }
        }
        return true; // a subscription of somebody unknown: his owner, for all we know
    }

    private static boolean carriesOwner(final NotifierRange range) {
        return (range.event() == NotifierEvent.EXCLUSIVE || range.event() == NotifierEvent.MIGRATE)
                && range.owner() != NotifierRange.NO_OWNER;
    }

    /**
     * I31, I28: devices have let go of the range, but for a migration of their own. Who refuses a non-blockable span keeps
     * what he maps, and nothing is changed then. Of drivers without an owner in their events nothing can be said: they check
     * no sequence, and a page that one has locked it may map behind its callback.
     */
    private void checkUnmapped(final NotifierRange range) {
        if (!range.isBlockable() || !space.platform().profile().makePassesOwner()) {
            return;
        }
        final int shift = space.pageShift();
        for (final SvmDevice device : devices) {
            final boolean own = range.event() == NotifierEvent.MIGRATE && range.owner() == device.owner();
            final long end = (range.end() - 1 >>> shift) + 1;
            final long found = device.table().nextValid(range.start() >>> shift, end);
            if (!own && found < Math.min(end, device.table().pageLimit())) {
                violated(
                        "I31",
                        "device " + device.id() + " maps page 0x" + Long.toHexString(found) + " behind " + range);
            }
        }
    }

    /** I25: once, before anything is unmapped, and afterwards no device maps anything. */
    @Override
    public void release(final Actor actor) {
        if (releases.incrementAndGet() > 1) {
            violated("I25", "released more than once");
        }
        for (final SvmDevice device : devices) {
            final long end = device.table().pageLimit();
            if (device.table().nextValid(0, end) < end) {
                violated("I25", "device " + device.id() + " maps pages of a space that is released");
            }
        }
    }

    // ---- wrappers -------------------------------------------------------------------------------------------

    /** A subscriber that must not be called any more. */
    public final class Watched {
        private final AtomicInteger running = new AtomicInteger();
        private final AtomicInteger released = new AtomicInteger();
        private volatile boolean gone;

        private Watched() {}

        /** I24: from here, when remove or unregister or the barrier behind put has returned, no callback may run. */
        public void gone() {
            gone = true;
            if (running.get() != 0) {
                violated("I24", "a callback runs although its subscriber is gone");
            }
        }

        private boolean call(final BooleanSupplier callback) {
            running.incrementAndGet();
            if (gone) {
                violated("I24", "a callback of a subscriber that is gone");
            }
            final boolean accepted = callback.getAsBoolean();
            running.decrementAndGet();
            return accepted;
        }

        private void releasing() {
            if (released.incrementAndGet() > 1) {
                violated("I25", "a subscriber was released more than once");
            }
        }
    }

    /** A callback, watched, and the handle to say that it is gone. */
    public record WatchedCallback(IntervalCallback callback, Watched handle) {}

    /** A list subscriber, watched, and the handle to say that it is gone. */
    public record WatchedSubscriber(NotifierSubscriber subscriber, Watched handle) {}

    /** I24, I31 for a range's callback; {@link IntervalCallback#isOwn} says what it may ignore. */
    public WatchedCallback watched(final IntervalCallback callback) {
        final Watched handle = new Watched();
        final IntervalCallback outer = new IntervalCallback() {
            @Override
            public boolean invalidate(
                    final Actor actor, final RangeGuard guard, final NotifierRange range, final long sequence) {
                final boolean accepted = handle.call(() -> callback.invalidate(actor, guard, range, sequence));
                final boolean ignored = guard instanceof IntervalSubscription subscription
                        && accepted
                        && subscription.seq() != sequence;
                if (ignored && !(carriesOwner(range) && callback.isOwn(range))) {
                    violated("I31", "a callback ignored " + range);
                }
                return accepted;
            }

            @Override
            public boolean isOwn(final NotifierRange range) {
                return callback.isOwn(range);
            }
        };
        return new WatchedCallback(outer, handle);
    }

    /** I24, I25 for a list subscriber. */
    public WatchedSubscriber watched(final NotifierSubscriber subscriber) {
        final Watched handle = new Watched();
        final NotifierSubscriber outer = new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                return handle.call(() -> subscriber.invalidateStart(actor, range));
            }

            @Override
            public void invalidateEnd(final Actor actor, final NotifierRange range) {
                subscriber.invalidateEnd(actor, range);
            }

            @Override
            public void release(final Actor actor) {
                handle.releasing();
                subscriber.release(actor);
            }

            @Override
            public void free() {
                handle.gone();
                subscriber.free();
            }
        };
        return new WatchedSubscriber(outer, handle);
    }

    /** I23: the sequence never comes back to a value, so what differed at read_begin's last check differs for ever. */
    public void sampled(final Actor actor, final long sample) {
        if (space.notifiers().snapshot(actor).seq() == sample) {
            violated("I23", "read_begin returned the sequence under invalidation, " + sample);
        }
    }

    /** I23 for the readers of a guard: a sample is never the value under invalidation. */
    public RangeGuard watched(final RangeGuard guard) {
        return new RangeGuard() {
            @Override
            public long start() {
                return guard.start();
            }

            @Override
            public long last() {
                return guard.last();
            }

            @Override
            public long readBegin(final Actor actor) {
                final long sample = guard.readBegin(actor);
                if (guard instanceof IntervalSubscription) {
                    sampled(actor, sample);
                }
                return sample;
            }

            @Override
            public boolean readRetry(final long sample) {
                return guard.readRetry(sample);
            }

            @Override
            public boolean checkRetry(final long sample) {
                return guard.checkRetry(sample);
            }

            @Override
            public void setSeq(final long sequence) {
                guard.setSeq(sequence);
            }
        };
    }
}
