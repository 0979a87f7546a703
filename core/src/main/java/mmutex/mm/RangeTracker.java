package mmutex.mm;

import java.util.function.LongSupplier;
import mmutex.notify.IntervalCallback;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.Protocol;
import mmutex.notify.RangeGuard;
import mmutex.notify.legacy.Hmm;
import mmutex.notify.legacy.HmmMirrorRange;
import mmutex.notify.legacy.RangeNotifier;
import mmutex.sync.Actor;

/**
 * A driver's side of one address space, the same in every generation of notifiers: it attaches, hears of every change
 * until it detaches, and for each fault inserts its range, works with the {@link #guard}, and removes the range.
 *
 * <p>Threads: one fault at a time; attaching and detaching by others only while no fault is being resolved.
 */
public interface RangeTracker {
    /**
     * Makes a tracker; not yet attached.
     *
     * @param ofRange told of changes of the inserted range, where the protocol leaves it to the driver to keep the sequence
     * @param ofAll told of every change: drops what the device maps
     * @param clock monotonic nanoseconds, for protocols whose waits have a bound
     */
    static RangeTracker of(
            final Protocol protocol,
            final AddressSpace space,
            final IntervalCallback ofRange,
            final NotifierSubscriber ofAll,
            final LongSupplier clock) {
        switch (protocol) {
            case INTERVAL:
                final IntervalSubscription subscription = new IntervalSubscription(ofRange);
                return new IntervalTracker(space, subscription, subscription, ofAll);
            case RANGE_NOTIFIER:
                final RangeNotifier notifier = new RangeNotifier(ofRange);
                return new IntervalTracker(space, notifier.interval(), notifier, ofAll);
            case HMM_MIRROR:
                return new MirrorTracker(space, new HmmMirrorRange(ofRange, clock, Hmm.TIMEOUT_NS), ofAll);
            default:
                throw new IllegalArgumentException("unknown protocol: " + protocol);
        }
    }

    /**
     * Subscribes the driver.
     *
     * @return OK, or EINTR if a fatal signal came first
     */
    Errno attach(Actor actor);

    /**
     * Unsubscribes the driver and returns at once; callbacks may still be running until the grace period of list
     * subscribers is over ({@code SrcuDomain.barrier}).
     */
    void detach(Actor actor);

    /**
     * Inserts the range; the caller keeps the address space's users pinned until it is removed.
     *
     * @return as {@link AddressSpace#insert}
     */
    Errno insert(Actor actor, long start, long length);

    /** Removes the range. May wait for running changes: never from a callback nor under a lock that callbacks take. */
    void remove(Actor actor);

    /** What the driver reads and retries by. */
    RangeGuard guard();
}
