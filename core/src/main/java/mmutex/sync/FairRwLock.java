package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A fair readers-writer lock: whoever waits is served in order, and a queued writer keeps later readers out. That
 * fairness is part of the emulation: a second read lock behind a queued writer is a deadlock in the kernel (H4), so it
 * is one here.
 *
 * <pre>
 *   state:  | readers 63..2 | somebody queued 1 | writer 0 |
 * </pre>
 *
 * <p>The fast paths are one compare-and-set. Queued waiters are granted the lock by the releaser, who dequeues them, so
 * there is no overtaking and no thundering herd.
 *
 * <p>Order: {@code ORDER(rw-lock)}: every change of the state is a read-modify-write; a grant is published by the
 * grantee's volatile flag. Kernel counterpart: {@code struct rw_semaphore}.
 */
public class FairRwLock {
    private static final long WRITER = 1;
    private static final long QUEUED = 2;
    private static final long READER = 4;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(FairRwLock.class, "state", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final ActorLocal<Waiter> WAITER = new ActorLocal<>(Waiter::new);

    private final LockClass lockClass;
    private final long instance = System.identityHashCode(this); // tells instances apart in reports
    private final SpinLock queueLock = new SpinLock(LockClass.LF);
    private Waiter head;
    private Waiter tail;

    @SuppressWarnings("unused") // through STATE
    private long state;

    public FairRwLock(final LockClass lockClass) {
        this.lockClass = lockClass;
    }

    /** Takes the lock shared. */
    public final void readLock(final Actor actor) {
        LockEvents.acquiring(actor, lockClass, instance, true, false);
        if (!tryFast(READER)) {
            enqueueAndWait(actor, READER);
        }
        LockEvents.acquired(actor, lockClass, instance, true);
    }

    /** Takes the lock shared if that needs no waiting. */
    public final boolean tryReadLock(final Actor actor) {
        LockEvents.acquiring(actor, lockClass, instance, true, true);
        if (!tryFast(READER)) {
            return false;
        }
        LockEvents.acquired(actor, lockClass, instance, true);
        return true;
    }

    /** Releases a shared hold. */
    public final void readUnlock(final Actor actor) {
        LockEvents.released(actor, lockClass, instance, true);
        final long after = (long) STATE.getAndAdd(this, -READER) - READER; // ORDER(rw-lock) release
        if (after < 0) {
            throw new IllegalStateException("read unlock without read lock: lock=" + lockClass + ", actor=" + actor);
        }
        if (after == QUEUED) {
            grant(actor);
        }
    }

    /** Takes the lock exclusively. */
    public void writeLock(final Actor actor) {
        LockEvents.acquiring(actor, lockClass, instance, false, false);
        if (!STATE.compareAndSet(this, 0L, WRITER)) { // ORDER(rw-lock) acquire
            enqueueAndWait(actor, WRITER);
        }
        LockEvents.acquired(actor, lockClass, instance, false);
    }

    /** Releases the exclusive hold. */
    public void writeUnlock(final Actor actor) {
        LockEvents.released(actor, lockClass, instance, false);
        final long before = (long) STATE.getAndAdd(this, -WRITER); // ORDER(rw-lock) release
        if ((before & WRITER) == 0) {
            throw new IllegalStateException("write unlock without write lock: lock=" + lockClass + ", actor=" + actor);
        }
        if ((before & QUEUED) != 0) {
            grant(actor);
        }
    }

    /** Whether anybody holds it (checkers). */
    public final boolean isHeld() {
        return (long) STATE.getVolatile(this) != 0;
    }

    /** Whether it is held exclusively. */
    public final boolean isWriteHeld() {
        return ((long) STATE.getVolatile(this) & WRITER) != 0;
    }

    private boolean tryFast(final long unit) {
        long seen = (long) STATE.getVolatile(this);
        while ((seen & (WRITER | QUEUED)) == 0) { // each failure means that another reader came or went
            final long witness = (long) STATE.compareAndExchange(this, seen, seen + unit); // ORDER(rw-lock) acquire
            if (witness == seen) {
                return true;
            }
            seen = witness;
        }
        return false;
    }

    private void enqueueAndWait(final Actor actor, final long unit) {
        final Waiter waiter = WAITER.of(actor);
        queueLock.lock(actor);
        if (head == null && tryTakeUnqueued(unit)) {
            queueLock.unlock(actor);
            return;
        }
        waiter.begin(actor, unit);
        if (tail == null) {
            head = waiter;
        } else {
            tail.next = waiter;
        }
        tail = waiter;
        queueLock.unlock(actor);
        final Wait wait = actor.startWait(null, instance);
        while (!waiter.isGranted()) { // ends with the grant: the queue is first come, first served
            wait.pause();
        }
        wait.finish();
    }

    /** With the queue lock held and nobody queued: takes the lock, or marks it as queued for; false if marked. */
    private boolean tryTakeUnqueued(final long unit) {
        while (true) { // each failure means that a holder came or went
            final long seen = (long) STATE.getVolatile(this);
            final boolean free = unit == READER ? (seen & WRITER) == 0 : (seen & ~QUEUED) == 0;
            if (STATE.compareAndSet(this, seen, free ? seen + unit : seen | QUEUED)) { // ORDER(rw-lock) acquire
                return free;
            }
        }
    }

    /** Hands the lock to the first waiter, or to the readers at the head of the queue, if it is free for them. */
    private void grant(final Actor actor) {
        queueLock.lock(actor);
        while (head != null) {
            final Waiter waiter = head;
            final long seen = (long) STATE.getVolatile(this);
            final boolean free = waiter.unit == READER ? (seen & WRITER) == 0 : (seen & ~QUEUED) == 0;
            if (!free) {
                break;
            }
            final long queued = waiter.next == null ? 0 : QUEUED;
            if (STATE.compareAndSet(this, seen, (seen & ~QUEUED | queued) + waiter.unit)) {
                head = waiter.next;
                if (head == null) {
                    tail = null;
                }
                waiter.next = null;
                waiter.grant();
            }
        }
        queueLock.unlock(actor);
    }

    /** An actor's place in a queue. */
    private static final class Waiter {
        private static final VarHandle GRANTED;

        static {
            try {
                GRANTED = MethodHandles.lookup().findVarHandle(Waiter.class, "granted", boolean.class);
            } catch (final ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private Actor actor;
        private long unit;
        private Waiter next;

        @SuppressWarnings("unused") // through GRANTED
        private boolean granted;

        void begin(final Actor waitingActor, final long wantedUnit) {
            this.actor = waitingActor;
            this.unit = wantedUnit;
            this.next = null;
            GRANTED.setOpaque(this, false);
        }

        boolean isGranted() {
            return (boolean) GRANTED.getAcquire(this); // ORDER(rw-lock) acquire: pairs with the release in grant
        }

        void grant() {
            final Actor granted = actor;
            GRANTED.setRelease(this, true); // ORDER(rw-lock) release: the waiter owns the lock from here
            granted.wake();
        }
    }
}
