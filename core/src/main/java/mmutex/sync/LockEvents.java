package mmutex.sync;

import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/** Where the locks announce themselves to the scheduler and the lock observer; dead code when the seam is off. */
public final class LockEvents {
    private static volatile LockObserver observer;

    private LockEvents() {}

    /**
     * Installs the observer; null removes it.
     *
     * @throws IllegalStateException if the VM was started without {@code -Dmmutex.schedule=true}
     */
    public static void install(final LockObserver newObserver) {
        if (!SchedulePoint.ENABLED) {
            throw new IllegalStateException("lock events are off: start the VM with -Dmmutex.schedule=true");
        }
        observer = newObserver;
    }

    static void acquiring(
            final Actor actor, final LockClass lockClass, final long instance, final boolean shared, final boolean t) {
        if (SchedulePoint.ENABLED) {
            SchedulePoint.before(Step.LOCK, instance);
            final LockObserver o = observer;
            if (o != null) {
                o.acquiring(actor, lockClass, instance, shared, t);
            }
        }
    }

    static void acquired(final Actor actor, final LockClass lockClass, final long instance, final boolean shared) {
        if (SchedulePoint.ENABLED) {
            final LockObserver o = observer;
            if (o != null) {
                o.acquired(actor, lockClass, instance, shared);
            }
        }
    }

    static void released(final Actor actor, final LockClass lockClass, final long instance, final boolean shared) {
        if (SchedulePoint.ENABLED) {
            final LockObserver o = observer;
            if (o != null) {
                o.released(actor, lockClass, instance, shared);
            }
            SchedulePoint.before(Step.UNLOCK, instance);
        }
    }

    /** A wait that is not for a lock but may take part in a deadlock all the same: acquired and released at once. */
    public static void waitsFor(final Actor actor, final LockClass lockClass, final long instance) {
        if (SchedulePoint.ENABLED) {
            acquiring(actor, lockClass, instance, false, false);
            acquired(actor, lockClass, instance, false);
            released(actor, lockClass, instance, false);
        }
    }

    /** A notifier span is about to call its subscribers: the pseudo-lock N is held, by many at once, until its end. */
    public static void spanStarting(final Actor actor, final long instance) {
        if (SchedulePoint.ENABLED) {
            acquiring(actor, LockClass.N, instance, true, false);
            acquired(actor, LockClass.N, instance, true);
        }
    }

    /** non_block_start: callbacks of a span are about to run; if it is not blockable, nothing may be waited for. */
    public static void callbacksStarting(final Actor actor, final long instance, final boolean blockable) {
        if (SchedulePoint.ENABLED && !blockable) {
            acquired(actor, LockClass.NB, instance, false);
        }
    }

    /** non_block_end. */
    public static void callbacksDone(final Actor actor, final long instance, final boolean blockable) {
        if (SchedulePoint.ENABLED && !blockable) {
            released(actor, LockClass.NB, instance, false);
        }
    }

    /** The span is over (also: it was refused). */
    public static void spanEnded(final Actor actor, final long instance) {
        if (SchedulePoint.ENABLED) {
            released(actor, LockClass.N, instance, true);
        }
    }
}
