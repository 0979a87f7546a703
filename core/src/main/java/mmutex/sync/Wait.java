package mmutex.sync;

import mmutex.seam.SchedulePoint;

/**
 * One wait of one actor: look, {@link #pause}, look again, until the condition holds, then {@link #finish}.
 *
 * <p>{@link #pause} spins {@value #SPINS} times, then yields up to {@value #YIELDS} times, then sleeps until the releaser
 * wakes it. Yielding is the fastest hand-over when the other party only needs a core, and the slowest when cores are taken
 * by threads that compute: each yield then lasts a time slice. So a yield that lasted long ends the yielding at once, and
 * the actor's next waits sleep without yielding, but for a probe now and then ({@link YieldPolicy}).
 *
 * <p>The step before the first sleep only announces it ({@link #isArmed}), so that the caller looks once more after the
 * announcement: that is what makes a lost wake-up impossible.
 */
public final class Wait {
    static final int SPINS = 50;
    static final int YIELDS = 2000;
    /** A sleep nobody ends: bounds how long a wait without queue overlooks a change. */
    private static final long UNQUEUED_SLEEP_NS = 50_000;
    /** A sleep that a releaser ends; the bound only keeps a killed or leaked waiter from sleeping for ever. */
    private static final long QUEUED_SLEEP_NS_MAX = 100_000_000;

    final Actor actor;
    Wait next;
    long key;
    boolean queued;

    private final YieldPolicy yields;
    private WaitQueue queue;
    private long subject;
    private int round;
    private boolean armed;

    Wait(final Actor actor, final YieldPolicy yields) {
        this.actor = actor;
        this.yields = yields;
    }

    void start(final WaitQueue newQueue, final long newSubject) {
        queue = newQueue;
        subject = newSubject;
        round = 0;
        armed = false;
    }

    /** One step of waiting. The caller looks at its condition after each. */
    public void pause() {
        if (SchedulePoint.ENABLED) {
            if (!actor.serveWhileWaiting()) {
                SchedulePoint.waiting(subject);
            }
            return;
        }
        if (actor.serveWhileWaiting()) {
            return;
        }
        if (round < SPINS) {
            round++;
            Thread.onSpinWait();
        } else if (round < SPINS + YIELDS && yields.yieldHelps()) {
            round++;
        } else if (!armed || !actor.isAsleep()) {
            arm(); // also after a wait inside this one, which has withdrawn the announcement
        } else {
            actor.sleep(queue == null ? UNQUEUED_SLEEP_NS : QUEUED_SLEEP_NS_MAX);
        }
    }

    /**
     * One step of waiting for a spin lock or a window: the holder needs only a core. The actor may hold spin locks
     * itself, so it serves nothing meanwhile.
     */
    void pauseSpinning() {
        if (SchedulePoint.ENABLED) {
            SchedulePoint.waiting(subject);
        } else if (round++ < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    /** Whether the wait has announced its sleep: a condition that says "somebody sleeps" must be set from now on. */
    public boolean isArmed() {
        return armed;
    }

    /** The wait is over, whatever its outcome. */
    public void finish() {
        if (armed) {
            actor.awake();
            if (queue != null) {
                queue.remove(this);
            }
        }
        actor.finishWait(this);
    }

    private void arm() {
        if (!armed && queue != null) {
            queue.add(this, subject);
        }
        armed = true;
        actor.announceSleep();
    }
}
