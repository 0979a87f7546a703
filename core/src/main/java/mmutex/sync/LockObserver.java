package mmutex.sync;

/**
 * Told about every lock operation when {@link mmutex.seam.SchedulePoint#ENABLED}; nobody's cost otherwise.
 *
 * <p>Threads: called by the acting thread.
 */
public interface LockObserver {
    /** The actor is about to wait for, or try, a lock; for pseudo-locks: it waits for the event. */
    void acquiring(Actor actor, LockClass lockClass, long instance, boolean shared, boolean tryOnly);

    /** The actor has it. */
    void acquired(Actor actor, LockClass lockClass, long instance, boolean shared);

    /** The actor gave it up. */
    void released(Actor actor, LockClass lockClass, long instance, boolean shared);
}
