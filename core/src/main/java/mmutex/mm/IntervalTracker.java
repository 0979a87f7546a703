package mmutex.mm;

import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;

/** Interval notifier, or range notifier, beside a list subscriber: as nouveau_svm.c does since 5.5. */
final class IntervalTracker implements RangeTracker {
    private final AddressSpace space;
    private final IntervalSubscription subscription;
    private final RangeGuard guard;
    private final NotifierSubscriber ofAll;

    /** With the guard that stands for the subscription. */
    IntervalTracker(
            final AddressSpace space,
            final IntervalSubscription subscription,
            final RangeGuard guard,
            final NotifierSubscriber ofAll) {
        this.space = space;
        this.subscription = subscription;
        this.guard = guard;
        this.ofAll = ofAll;
    }

    @Override
    public Errno attach(final Actor actor) {
        return space.register(actor, ofAll);
    }

    @Override
    public void detach(final Actor actor) {
        space.notifiers().put(actor, ofAll);
    }

    @Override
    public Errno insert(final Actor actor, final long start, final long length) {
        return space.insert(actor, subscription, start, length);
    }

    @Override
    public void remove(final Actor actor) {
        space.notifiers().remove(actor, subscription);
    }

    @Override
    public RangeGuard guard() {
        return guard;
    }
}
