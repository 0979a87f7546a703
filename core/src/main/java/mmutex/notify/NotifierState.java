package mmutex.notify;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.LockEvents;
import mmutex.sync.SpinLock;
import mmutex.sync.SrcuDomain;
import mmutex.sync.Wait;
import mmutex.sync.WaitQueue;

/**
 * The notifier state of one address space: {@code struct mmu_notifier_subscriptions}, mm/mmu_notifier.c (6.12).
 *
 * <p><b>Sequence protocol.</b> {@code seq} starts at 2. It is odd while an invalidation that hit somebody runs, and stays
 * odd until every running invalidation of the address space has ended. A callback stores the odd value in its
 * subscription; a subscription whose value equals {@code seq} is under invalidation, and readers of it wait.
 *
 * <pre>
 *                    active == 0            active &gt; 0, seq even       active &gt; 0, seq odd
 *   start, no hit    active++               active++                   active++
 *   start, hit       active++, seq |= 1     active++, seq |= 1         active++
 *   end              -                      active--                   active--; at 0: seq++, deferred work, wake
 *   insert           iseq = seq-1, insert   seq |= 1, insert,          deferred, iseq = seq
 *                                           iseq = seq
 *   remove           remove                 remove                     deferred, wait until seq moves
 * </pre>
 *
 * <p>Why it works: between a callback and the end of its invalidation, iseq == seq (odd), so a new reader waits; a reader
 * that sampled earlier finds iseq changed. The index can't change while seq is odd, so callbacks iterate without lock.
 *
 * <p>Threads: any. Whoever subscribes first has excluded running spans ({@link #publish}); spans may then be bracketed
 * or not, but alike at both ends.
 */
public final class NotifierState {
    private static final VarHandle PUBLISHED;

    static {
        try {
            PUBLISHED = MethodHandles.lookup().findVarHandle(NotifierState.class, "published", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int INTERVALS = 1;
    private static final int LIST = 2;

    private final SubscriberList list;
    private final boolean leaksRefusedSpans;
    private final long instance = System.identityHashCode(this); // tells instances apart in reports
    private final SpinLock lock = new SpinLock(LockClass.SQ);
    private final WaitQueue readers = new WaitQueue();
    private final IntervalIndex index = new IntervalIndex();

    // Under the lock:
    private long seq = 2;
    private long activeSpans;
    private IntervalSubscription firstDeferred;
    private boolean released;

    /** What there is to notify: bits; 0 lets spans cost one load. */
    @SuppressWarnings("unused") // through PUBLISHED
    private int published;

    /**
     * Creates the state of an address space nobody listens to.
     *
     * @param srcu the machine's domain for list subscribers
     */
    public NotifierState(final SrcuDomain srcu) {
        this(srcu, false);
    }

    /**
     * The same with a choice.
     *
     * @param leaksRefusedSpans as the kernel, forget to close the interval stage of a span that the list refused (Q3)
     */
    public NotifierState(final SrcuDomain srcu, final boolean leaksRefusedSpans) {
        this.list = new SubscriberList(srcu);
        this.leaksRefusedSpans = leaksRefusedSpans;
    }

    // ---- spans ----------------------------------------------------------------------------------------------

    /**
     * mmu_notifier_invalidate_range_start: opens a span and calls every overlapping subscriber.
     *
     * @return false only for a non-blockable range: a callback would have had to wait; nothing is open, the caller must
     *     not call {@link #end} and must not change entries
     */
    public boolean start(final Actor actor, final NotifierRange range) {
        SchedulePoint.before(Step.PUBLISHED_READ, range.start());
        // ORDER(notifier-publish) acquire: pairs with the release in publish; the first subscriber has excluded running
        // spans, so both ends of a span see the same value (O8).
        final int kinds = (int) PUBLISHED.getAcquire(this);
        if (kinds == 0) {
            return true;
        }
        LockEvents.spanStarting(actor, instance);
        LockEvents.callbacksStarting(actor, instance, range.isBlockable());
        final boolean started = callBack(actor, range, kinds);
        LockEvents.callbacksDone(actor, instance, range.isBlockable());
        if (!started) {
            LockEvents.spanEnded(actor, instance);
        }
        return started;
    }

    private boolean callBack(final Actor actor, final NotifierRange range, final int kinds) {
        // 1. interval callbacks
        if ((kinds & INTERVALS) != 0 && !startIntervals(actor, range)) {
            return false;
        }
        // 2. list callbacks
        if ((kinds & LIST) != 0 && !list.start(actor, range)) {
            if ((kinds & INTERVALS) != 0 && !leaksRefusedSpans) {
                endIntervals(actor); // the kernel forgets it (Q3): later inserts and readers then wait for ever
            }
            return false;
        }
        return true;
    }

    /** mmu_notifier_invalidate_range_end: closes the span. */
    public void end(final Actor actor, final NotifierRange range) {
        final int kinds = (int) PUBLISHED.getAcquire(this);
        if (kinds == 0) {
            return;
        }
        if ((kinds & INTERVALS) != 0) {
            endIntervals(actor);
        }
        if ((kinds & LIST) != 0) {
            list.end(actor, range);
        }
        LockEvents.spanEnded(actor, instance);
    }

    /** mn_itree_invalidate. */
    private boolean startIntervals(final Actor actor, final NotifierRange range) {
        final long last = range.end() - 1;
        lock.lock(actor);
        activeSpans++;
        int at = index.nextOverlap(0, range.start(), last);
        if (at >= 0) {
            seq |= 1;
        }
        final long current = seq;
        lock.unlock(actor);
        // seq is odd from here if there is anything to call: the index can't change (I10).
        // ORDER(hmm-lockless-read): the callbacks move their sequences before the caller changes an entry. Pairs with
        // the read in RangeFaulter, which read_retry condemns then.
        while (at >= 0) {
            final IntervalSubscription subscription = index.at(at);
            if (!subscription.callback.invalidate(actor, subscription, range, current)) {
                if (range.isBlockable()) {
                    throw new IllegalStateException("a callback refused a blockable range: " + range);
                }
                endIntervals(actor);
                return false;
            }
            at = index.nextOverlap(at + 1, range.start(), last);
        }
        return true;
    }

    /** mn_itree_inv_end. */
    private void endIntervals(final Actor actor) {
        lock.lock(actor);
        if (activeSpans <= 0) {
            lock.unlock(actor);
            throw new IllegalStateException("end without start: active spans=" + activeSpans);
        }
        if (--activeSpans != 0 || (seq & 1) == 0) {
            lock.unlock(actor);
            return;
        }
        seq++;
        applyDeferred();
        final long now = seq;
        lock.unlock(actor);
        // O9: the wake follows the section that changed seq; sleepers look at seq again.
        readers.wakeIfAny(actor, 0);
        SchedulePoint.before(Step.SEQUENCE, now);
    }

    private void applyDeferred() {
        while (firstDeferred != null) {
            final IntervalSubscription subscription = firstDeferred;
            firstDeferred = subscription.nextDeferred;
            subscription.nextDeferred = null;
            subscription.deferred = false;
            if (subscription.inIndex) {
                index.remove(subscription);
                subscription.inIndex = false;
            } else {
                index.insert(subscription);
                subscription.inIndex = true;
            }
        }
    }

    // ---- interval subscriptions -----------------------------------------------------------------------------

    /** Whether {@link #publish} is still due before an interval subscription may be inserted. */
    public boolean needsPublishForIntervals() {
        return ((int) PUBLISHED.getAcquire(this) & INTERVALS) == 0;
    }

    /** Whether {@link #publish} is still due before a list subscriber may be added. */
    public boolean needsPublishForList() {
        return ((int) PUBLISHED.getAcquire(this) & LIST) == 0;
    }

    /**
     * The first subscriber of a kind is coming: spans are counted from now on. The caller has excluded every running
     * span ({@code mm_take_all_locks}); otherwise an end without its start would follow (B53).
     */
    public void publish(final boolean intervals) {
        // ORDER(notifier-publish) release: the initialised state comes before the bit. Pairs with the acquires in start
        // and end.
        PUBLISHED.setRelease(this, (int) PUBLISHED.getOpaque(this) | (intervals ? INTERVALS : LIST));
    }

    /**
     * mmu_interval_notifier_insert, behind the range checks. May return before the subscription is in the index (Q15):
     * readers of it wait until then.
     */
    public void insert(final Actor actor, final IntervalSubscription subscription, final long start, final long last) {
        if (subscription.state != this) {
            subscription.state = this;
        }
        subscription.start = start;
        subscription.last = last;
        lock.lock(actor);
        if (activeSpans == 0) {
            subscription.setSeq(seq - 1);
            index.insert(subscription);
            subscription.inIndex = true;
        } else if ((seq & 1) != 0) {
            defer(subscription);
            subscription.setSeq(seq);
        } else {
            // Spans run that hit nobody; they may concern this range, so assume that they do.
            seq |= 1;
            index.insert(subscription);
            subscription.inIndex = true;
            subscription.setSeq(seq);
        }
        lock.unlock(actor);
    }

    /**
     * mmu_interval_notifier_remove: afterwards no callback of the subscription runs or will run. Waits for running
     * invalidations, so never from a callback nor under a lock that callbacks take.
     */
    public void remove(final Actor actor, final IntervalSubscription subscription) {
        LockEvents.waitsFor(actor, LockClass.N, instance);
        long until = 0;
        lock.lock(actor);
        if ((seq & 1) == 0) {
            index.remove(subscription);
            subscription.inIndex = false;
        } else if (subscription.inIndex) {
            defer(subscription);
            until = seq;
        } else {
            undefer(subscription); // inserted during this invalidation and never called
        }
        lock.unlock(actor);
        if (until != 0) {
            awaitChange(actor, until);
        }
    }

    private void defer(final IntervalSubscription subscription) {
        subscription.deferred = true;
        subscription.nextDeferred = firstDeferred;
        firstDeferred = subscription;
    }

    private void undefer(final IntervalSubscription subscription) {
        IntervalSubscription previous = null;
        for (IntervalSubscription s = firstDeferred; s != subscription; s = s.nextDeferred) {
            previous = s;
        }
        if (previous == null) {
            firstDeferred = subscription.nextDeferred;
        } else {
            previous.nextDeferred = subscription.nextDeferred;
        }
        subscription.nextDeferred = null;
        subscription.deferred = false;
    }

    long readBegin(final Actor actor, final IntervalSubscription subscription) {
        LockEvents.waitsFor(actor, LockClass.N, instance);
        lock.lock(actor);
        final long sample = subscription.seq();
        final boolean busy = sample == seq;
        lock.unlock(actor);
        if (busy) {
            awaitChange(actor, sample);
        }
        return sample;
    }

    private void awaitChange(final Actor actor, final long value) {
        final Wait wait = actor.startWait(readers, 0);
        while (currentSeq(actor) == value) { // unbounded, as in the kernel: sustained invalidations keep it odd (Q2)
            wait.pause();
        }
        wait.finish();
    }

    private long currentSeq(final Actor actor) {
        lock.lock(actor);
        final long now = seq;
        lock.unlock(actor);
        return now;
    }

    // ---- list subscribers -----------------------------------------------------------------------------------

    /** mmu_notifier_register, its locked part: the caller has excluded running spans. One user. */
    public void add(final Actor actor, final NotifierSubscriber subscriber) {
        list.add(actor, subscriber, null);
    }

    /** The same for a subscriber that {@link #find} can share. */
    public void add(final Actor actor, final NotifierSubscriber subscriber, final SubscriberOps ops) {
        list.add(actor, subscriber, ops);
    }

    /** find_get_mmu_notifier: the address space's subscriber of this kind, with one more user; null if it has none. */
    public NotifierSubscriber find(final Actor actor, final SubscriberOps ops) {
        return list.find(actor, ops);
    }

    /**
     * mmu_notifier_put: drops a user and returns at once. After the last one the subscriber is called no more, but callbacks
     * may still run; when they are over, {@link NotifierSubscriber#free} is called (by {@code SrcuDomain.barrier} at the
     * latest). release is not called.
     *
     * @throws IllegalStateException if it has no user
     */
    public void put(final Actor actor, final NotifierSubscriber subscriber) {
        list.put(actor, subscriber);
    }

    /**
     * mmu_notifier_unregister: calls release if the address space still lives, unlinks, and waits until no callback of
     * the subscriber can be running.
     */
    public void unregister(final Actor actor, final NotifierSubscriber subscriber) {
        list.unregister(actor, subscriber);
    }

    // ---- end of the address space ---------------------------------------------------------------------------

    /** __mmu_notifier_release: RELEASE to interval subscribers, then release of list subscribers and their grace. */
    public void release(final Actor actor, final NotifierRange scratch) {
        final int kinds = (int) PUBLISHED.getAcquire(this);
        if ((kinds & INTERVALS) != 0) {
            scratch.init(NotifierEvent.RELEASE, 0, Long.MAX_VALUE);
            startIntervals(actor, scratch);
            endIntervals(actor);
        }
        if ((kinds & LIST) != 0) {
            list.release(actor);
        }
        released = true;
    }

    // ---- for checkers ---------------------------------------------------------------------------------------

    /** What the invariants I8, I9 and I11 are about, read in one locked section. */
    public Snapshot snapshot(final Actor actor) {
        lock.lock(actor);
        final long[] subscriptionSeqs = new long[index.size()];
        for (int i = 0; i < subscriptionSeqs.length; i++) {
            subscriptionSeqs[i] = index.at(i).seq();
        }
        final Snapshot result =
                new Snapshot(seq, activeSpans, subscriptionSeqs, firstDeferred != null, released, index.changes());
        lock.unlock(actor);
        return result;
    }

    /**
     * State at one instant.
     *
     * @param seq global sequence
     * @param activeSpans running spans
     * @param subscriptionSeqs sequences of the indexed subscriptions
     * @param hasDeferred whether inserts or removes are deferred
     * @param released whether the address space has been released
     * @param indexChanges how often the index of subscriptions was changed so far
     */
    public record Snapshot(
            long seq,
            long activeSpans,
            long[] subscriptionSeqs,
            boolean hasDeferred,
            boolean released,
            long indexChanges) {}

    /** The indexed subscriptions that overlap a range. */
    public List<IntervalSubscription> overlapping(final Actor actor, final NotifierRange range) {
        final List<IntervalSubscription> found = new ArrayList<>();
        final long last = range.end() - 1;
        lock.lock(actor);
        for (int at = index.nextOverlap(0, range.start(), last);
                at >= 0;
                at = index.nextOverlap(at + 1, range.start(), last)) {
            found.add(index.at(at));
        }
        lock.unlock(actor);
        return found;
    }
}
