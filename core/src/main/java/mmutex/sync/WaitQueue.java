package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Sleepers of one or more conditions, each with a key; a releaser wakes those with its key. Waking too many is harmless,
 * since every sleeper looks at its own condition again.
 *
 * <p>Two ways to know that there is anybody: a waiters bit in the word waited for (page lock), or {@link #wakeIfAny},
 * which costs the releaser a fence.
 *
 * <p>Threads: any. Kernel counterpart: {@code wait_queue_head_t}.
 */
public final class WaitQueue {
    private static final VarHandle WAITERS;

    static {
        try {
            WAITERS = MethodHandles.lookup().findVarHandle(WaitQueue.class, "waiters", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SpinLock lock = new SpinLock(LockClass.LF);
    private Wait first;

    @SuppressWarnings("unused") // through WAITERS
    private int waiters;

    void add(final Wait wait, final long key) {
        lock.lock(wait.actor);
        wait.key = key;
        wait.next = first;
        wait.queued = true;
        first = wait;
        WAITERS.setOpaque(this, (int) WAITERS.getOpaque(this) + 1);
        lock.unlock(wait.actor);
    }

    void remove(final Wait wait) {
        lock.lock(wait.actor);
        if (wait.queued) {
            Wait previous = null;
            for (Wait w = first; w != wait; w = w.next) {
                previous = w;
            }
            if (previous == null) {
                first = wait.next;
            } else {
                previous.next = wait.next;
            }
            wait.next = null;
            wait.queued = false;
            WAITERS.setOpaque(this, (int) WAITERS.getOpaque(this) - 1);
        }
        lock.unlock(wait.actor);
    }

    /** Wakes the sleepers with this key. The change they wait for has been stored. */
    public void wake(final Actor waker, final long key) {
        lock.lock(waker);
        for (Wait w = first; w != null; w = w.next) {
            if (w.key == key) {
                w.actor.wake();
            }
        }
        lock.unlock(waker);
    }

    /** As {@link #wake}, for conditions whose word does not say whether anybody sleeps. */
    public void wakeIfAny(final Actor waker, final long key) {
        // ORDER(sleep-announce) full fence: the caller's change comes before this look. Pairs with
        // announceSleep, before which the sleeper has counted itself.
        VarHandle.fullFence();
        if ((int) WAITERS.getOpaque(this) != 0) {
            wake(waker, key);
        }
    }

    /**
     * Whether anybody may sleep, asked with the lock held under which the condition was changed, and under which sleepers look at
     * it: who has looked before that has been counted, and whoever looks later sees the change. If so, {@link #wake} after
     * the lock.
     */
    public boolean mayHaveSleepers() {
        return (int) WAITERS.getOpaque(this) != 0; // ORDER(spin-lock), or whatever the lock's is
    }

    /** The same behind a change that was a volatile read-modify-write: that is fence enough. */
    void wakeIfAnyAfterUpdate(final Actor waker, final long key) {
        // ORDER(sleep-announce) volatile: behind the caller's read-modify-write in the one order of volatile
        // accesses, in which the full fence of announceSleep stands, too.
        if ((int) WAITERS.getVolatile(this) != 0) {
            wake(waker, key);
        }
    }
}
