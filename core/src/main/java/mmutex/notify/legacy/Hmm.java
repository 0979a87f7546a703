package mmutex.notify.legacy;

import java.util.Arrays;
import java.util.function.LongSupplier;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.SubscriberOps;
import mmutex.sync.Actor;
import mmutex.sync.ActorLocal;
import mmutex.sync.FairRwLock;
import mmutex.sync.LockClass;
import mmutex.sync.LockEvents;
import mmutex.sync.SpinLock;
import mmutex.sync.Wait;
import mmutex.sync.WaitQueue;

/**
 * What an address space had before interval notifiers: {@code struct hmm}, mm/hmm.c (5.3); semantics 3.22. One list
 * subscriber per address space, shared by its mirrors (drivers) and their ranges.
 *
 * <pre>
 *   start      notifiers++; every range that the span overlaps, or touches: valid = false; then the mirrors, in order
 *   end        --notifiers; at 0: all ranges valid (as coded), wake all
 *   register   valid = (notifiers == 0)
 *   wait       until valid, or the time is over
 * </pre>
 *
 * <p><b>Repaired</b> in two things. As coded, the end of a span makes ranges valid behind their owner's back: a span that
 * starts and ends between the wait and the question whether the range is valid is never seen (one of the reasons for
 * which sequences came in 5.5). Here a range becomes valid only by its owner's wait, which needs notifiers == 0. And a
 * driver's own conversion would then invalidate its range in every round, since mirrors knew no owners; so ranges ask
 * their driver ({@link mmutex.notify.IntervalCallback#isOwn}).
 *
 * <p>Threads: any. Callbacks run under the mirrors' semaphore, shared; a non-blockable span only tries it.
 */
public final class Hmm implements NotifierSubscriber {
    /** HMM_RANGE_DEFAULT_TIMEOUT. */
    public static final long TIMEOUT_NS = 1_000_000_000L;

    private static final SubscriberOps REPAIRED = () -> new Hmm(false);
    private static final SubscriberOps AS_CODED = () -> new Hmm(true);
    private static final HmmMirror[] NO_MIRRORS = {};

    /** Whose start this actor's span was refused by: the end that follows is not for that one. */
    private static final ActorLocal<Hmm[]> REFUSED_BY = new ActorLocal<>(() -> new Hmm[1]);

    private final boolean endRevalidates;
    private final long instance = System.identityHashCode(this); // tells instances apart in reports
    private final SpinLock rangesLock = new SpinLock(LockClass.SQ);
    private final FairRwLock mirrorsLock = new FairRwLock(LockClass.MS);
    private final WaitQueue waiters = new WaitQueue();

    // Under rangesLock:
    private HmmMirrorRange ranges;
    private long notifiers;

    private HmmMirror[] mirrors = NO_MIRRORS; // under mirrorsLock

    private Hmm(final boolean endRevalidates) {
        this.endRevalidates = endRevalidates;
    }

    /**
     * By what an address space finds its hmm (hmm_get_or_create).
     *
     * @param endRevalidates as coded in 5.3, not repaired
     */
    public static SubscriberOps ops(final boolean endRevalidates) {
        return endRevalidates ? AS_CODED : REPAIRED;
    }

    // ---- spans ----------------------------------------------------------------------------------------------

    /** hmm_invalidate_range_start. */
    @Override
    public boolean invalidateStart(final Actor actor, final NotifierRange range) {
        // 1. Count, and mark what is hit.
        rangesLock.lock(actor);
        notifiers++;
        for (HmmMirrorRange r = ranges; r != null; r = r.next) {
            if (touches(range, r) && (endRevalidates || !r.driver().isOwn(range))) {
                r.setValid(false);
            }
        }
        rangesLock.unlock(actor);
        // 2. The mirrors.
        final boolean accepted = range.isBlockable()
                ? syncAll(actor, range)
                : mirrorsLock.tryReadLock(actor) && syncLocked(actor, range);
        if (!accepted) {
            REFUSED_BY.of(actor)[0] = this;
            endSpan(actor);
        }
        return accepted;
    }

    private boolean syncAll(final Actor actor, final NotifierRange range) {
        mirrorsLock.readLock(actor);
        return syncLocked(actor, range);
    }

    private boolean syncLocked(final Actor actor, final NotifierRange range) {
        boolean accepted = true;
        for (final HmmMirror mirror : mirrors) {
            if (!mirror.syncCpuDevicePagetables(actor, range)) {
                accepted = false;
                break;
            }
        }
        mirrorsLock.readUnlock(actor);
        return accepted;
    }

    /** hmm_invalidate_range_end. */
    @Override
    public void invalidateEnd(final Actor actor, final NotifierRange range) {
        final Hmm[] refusedBy = REFUSED_BY.of(actor);
        if (refusedBy[0] == this) {
            refusedBy[0] = null; // counted back already, when the start was refused
            return;
        }
        endSpan(actor);
    }

    /** notifiers_decrement. */
    private void endSpan(final Actor actor) {
        rangesLock.lock(actor);
        notifiers--;
        final boolean idle = notifiers == 0;
        if (idle && endRevalidates) {
            for (HmmMirrorRange r = ranges; r != null; r = r.next) {
                r.setValid(true);
            }
        }
        rangesLock.unlock(actor);
        if (idle) {
            waiters.wakeIfAny(actor, 0);
        }
    }

    /** A range that begins where the span ends counts as hit. */
    private static boolean touches(final NotifierRange span, final HmmMirrorRange range) {
        return Long.compareUnsigned(span.end(), range.start) >= 0
                && Long.compareUnsigned(span.start(), range.last) <= 0;
    }

    // ---- ranges ---------------------------------------------------------------------------------------------

    /** hmm_range_register, behind its checks; the caller keeps the address space's users pinned. */
    public void register(final Actor actor, final HmmMirrorRange range, final long start, final long last) {
        range.hmm = this;
        range.start = start;
        range.last = last;
        rangesLock.lock(actor);
        range.previous = null;
        range.next = ranges;
        if (ranges != null) {
            ranges.previous = range;
        }
        ranges = range;
        range.setValid(notifiers == 0);
        rangesLock.unlock(actor);
    }

    /** hmm_range_unregister: waits for nothing. */
    public void unregister(final Actor actor, final HmmMirrorRange range) {
        rangesLock.lock(actor);
        if (range.previous == null) {
            ranges = range.next;
        } else {
            range.previous.next = range.next;
        }
        if (range.next != null) {
            range.next.previous = range.previous;
        }
        range.setValid(false);
        rangesLock.unlock(actor);
    }

    boolean awaitValid(final Actor actor, final HmmMirrorRange range, final LongSupplier clock, final long timeoutNs) {
        LockEvents.waitsFor(actor, LockClass.N, instance);
        if (isValid(actor, range)) {
            return true;
        }
        final long deadline = clock.getAsLong() + timeoutNs;
        final Wait wait = actor.startWait(waiters, 0);
        boolean valid;
        do { // bounded by the clock
            wait.pause();
            valid = isValid(actor, range);
        } while (!valid && clock.getAsLong() - deadline < 0);
        wait.finish();
        return valid;
    }

    /** Whether the range is valid; repaired, this is what makes it so. */
    private boolean isValid(final Actor actor, final HmmMirrorRange range) {
        rangesLock.lock(actor);
        if (!endRevalidates && notifiers == 0) {
            range.setValid(true);
        }
        final boolean valid = range.isValid(); // if so, nothing that runs has hit it
        rangesLock.unlock(actor);
        return valid;
    }

    // ---- mirrors --------------------------------------------------------------------------------------------

    /** hmm_mirror_register, its last part: the mirror hears of every span that starts from now on. */
    public void add(final Actor actor, final HmmMirror mirror) {
        mirrorsLock.writeLock(actor);
        mirrors = Arrays.copyOf(mirrors, mirrors.length + 1);
        mirrors[mirrors.length - 1] = mirror;
        mirrorsLock.writeUnlock(actor);
    }

    /** hmm_mirror_unregister, its first part: afterwards no callback of the mirror runs or will run. */
    public void remove(final Actor actor, final HmmMirror mirror) {
        mirrorsLock.writeLock(actor);
        mirrors = Arrays.stream(mirrors).filter(other -> other != mirror).toArray(HmmMirror[]::new);
        mirrorsLock.writeUnlock(actor);
    }

    /** hmm_release. */
    @Override
    public void release(final Actor actor) {
        mirrorsLock.readLock(actor);
        for (final HmmMirror mirror : mirrors) {
            mirror.release(actor);
        }
        mirrorsLock.readUnlock(actor);
    }

    // ---- for checkers ---------------------------------------------------------------------------------------

    /** Spans that run. */
    public long activeSpans(final Actor actor) {
        rangesLock.lock(actor);
        final long now = notifiers;
        rangesLock.unlock(actor);
        return now;
    }
}
