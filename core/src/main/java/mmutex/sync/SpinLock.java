package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.seam.SchedulePoint;

/**
 * A leaf lock held for a few instructions; its holder never waits for anything.
 *
 * <p>A waiter yields soon, since the holder may lack a core. Not re-entrant. Kernel counterpart: {@code spinlock_t}.
 */
public final class SpinLock {
    private static final VarHandle HELD;

    static {
        try {
            HELD = MethodHandles.lookup().findVarHandle(SpinLock.class, "held", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LockClass lockClass;
    private final long instance = System.identityHashCode(this); // tells instances apart in reports

    @SuppressWarnings("unused") // through HELD
    private int held;

    public SpinLock(final LockClass lockClass) {
        this.lockClass = lockClass;
    }

    /** Takes the lock. */
    public void lock(final Actor actor) {
        LockEvents.acquiring(actor, lockClass, instance, false, false);
        // ORDER(spin-lock) acquire: pairs with the release in unlock.
        if (!HELD.compareAndSet(this, 0, 1)) {
            lockSlow();
        }
        LockEvents.acquired(actor, lockClass, instance, false);
    }

    private void lockSlow() {
        int round = 0;
        do { // bounded by the holder's few instructions
            if (SchedulePoint.ENABLED) {
                SchedulePoint.waiting(instance);
            } else if (++round < Wait.SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        } while ((int) HELD.getOpaque(this) != 0 || !HELD.compareAndSet(this, 0, 1));
    }

    /** Releases the lock. */
    public void unlock(final Actor actor) {
        LockEvents.released(actor, lockClass, instance, false);
        HELD.setRelease(this, 0); // ORDER(spin-lock) release: pairs with the compare-and-set in lock
    }

    /** Whether anybody holds it (checkers). */
    public boolean isHeld() {
        return (int) HELD.getAcquire(this) != 0;
    }
}
