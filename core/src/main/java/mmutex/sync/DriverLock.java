package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A driver's mutex: orders its device table and the {@code iseq} of its subscriptions. Callbacks take it, so its holder
 * may not wait for a page lock, an mmap lock or a notification.
 *
 * <p>Order: {@code ORDER(driver-lock)}: everything an invalidation did before it released the lock is visible to
 * read_retry under it (O5). Litmus: ReadRetryStress.
 *
 * <p>Kernel counterpart: {@code svmm->mutex}, {@code dmirror->mutex} (6.12).
 */
public final class DriverLock {
    private static final int FREE = 0;
    private static final int HELD = 1;
    private static final int CONTENDED = 2;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(DriverLock.class, "state", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final WaitQueue queue = new WaitQueue();
    private final LockClass lockClass;
    private final long instance;

    @SuppressWarnings("unused") // through STATE
    private int state;

    /** Its id; 0 if nobody. A number: a stored reference costs a collector's barrier. */
    private int owner;

    /** Creates a lock; {@code instance} tells the driver locks of a machine apart in reports. */
    public DriverLock(final long instance) {
        this(LockClass.DL, instance);
    }

    /** Creates a lock of another place in the order. */
    public DriverLock(final LockClass lockClass, final long instance) {
        this.lockClass = lockClass;
        this.instance = instance;
    }

    /** Takes the lock. */
    public void lock(final Actor actor) {
        LockEvents.acquiring(actor, lockClass, instance, false, false);
        if (!STATE.compareAndSet(this, FREE, HELD)) { // ORDER(driver-lock) acquire
            lockSlow(actor);
        }
        owner = actor.id();
        LockEvents.acquired(actor, lockClass, instance, false);
    }

    private void lockSlow(final Actor actor) {
        final Wait wait = actor.startWait(queue, instance);
        while (true) { // ends with the holder's unlock
            if (wait.isArmed()) {
                // Taking it as CONTENDED wakes the next sleeper too, who may have been woken in vain by this barging.
                if ((int) STATE.getAndSet(this, CONTENDED) == FREE) { // ORDER(driver-lock) acquire
                    break;
                }
            } else if ((int) STATE.getOpaque(this) == FREE && STATE.compareAndSet(this, FREE, HELD)) {
                break;
            }
            wait.pause();
        }
        wait.finish();
    }

    /** Takes the lock if that needs no waiting. */
    public boolean tryLock(final Actor actor) {
        LockEvents.acquiring(actor, lockClass, instance, false, true);
        if (!STATE.compareAndSet(this, FREE, HELD)) { // ORDER(driver-lock) acquire
            return false;
        }
        owner = actor.id();
        LockEvents.acquired(actor, lockClass, instance, false);
        return true;
    }

    /** Releases the lock. */
    public void unlock(final Actor actor) {
        if (owner != actor.id()) {
            throw new IllegalStateException("unlock by another actor: owner id=" + owner + ", actor=" + actor);
        }
        owner = 0;
        LockEvents.released(actor, lockClass, instance, false);
        if ((int) STATE.getAndSet(this, FREE) == CONTENDED) { // ORDER(driver-lock) release
            queue.wake(actor, instance);
        }
    }

    /** Whether the actor holds it. */
    public boolean isHeldBy(final Actor actor) {
        return owner == actor.id();
    }

    /** Whether anybody holds it (checkers). */
    public boolean isHeld() {
        return (int) STATE.getVolatile(this) != FREE;
    }
}
