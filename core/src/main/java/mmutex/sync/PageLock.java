package mmutex.sync;

import mmutex.memory.FrameTable;

/**
 * The page lock: a bit in the frame record, sleepers in hashed queues. It has no owner in the kernel's sense and may be
 * released by another actor than the one that took it; the recorded owner is for dumps.
 *
 * <p>Order: {@code ORDER(page-lock)}: taking is an acquire, releasing a release (both are read-modify-writes), so a
 * converted entry and the frame's bookkeeping are visible to the next holder (O4). Litmus: PageLockStress.
 *
 * <p>Kernel counterpart: {@code folio_lock} and friends, mm/filemap.c (6.12).
 */
public final class PageLock {
    private static final int QUEUE_COUNT = 256;

    private final FrameTable frames;
    private final WaitQueue[] queues = new WaitQueue[QUEUE_COUNT];

    public PageLock(final FrameTable frames) {
        this.frames = frames;
        for (int i = 0; i < QUEUE_COUNT; i++) {
            queues[i] = new WaitQueue();
        }
    }

    /** folio_trylock. */
    public boolean tryLock(final Actor actor, final long pfn) {
        LockEvents.acquiring(actor, LockClass.PG, pfn, false, true);
        if ((frames.setBits(pfn, FrameTable.LOCKED) & FrameTable.LOCKED) != 0) { // ORDER(page-lock) acquire
            return false;
        }
        taken(actor, pfn);
        return true;
    }

    /** folio_lock: waits uninterruptibly. */
    public void lock(final Actor actor, final long pfn) {
        lockSlow(actor, pfn, false);
    }

    /** folio_lock_killable: false if a fatal signal came first. */
    public boolean lockKillable(final Actor actor, final long pfn) {
        return lockSlow(actor, pfn, true);
    }

    private boolean lockSlow(final Actor actor, final long pfn, final boolean killable) {
        LockEvents.acquiring(actor, LockClass.PG, pfn, false, false);
        if ((frames.setBits(pfn, FrameTable.LOCKED) & FrameTable.LOCKED) == 0) { // ORDER(page-lock) acquire
            taken(actor, pfn);
            return true;
        }
        final Wait wait = actor.startWait(queue(pfn), pfn);
        boolean got = false;
        while (!(killable && actor.isKilled())) { // ends with the holder's unlock, or the signal
            final long state = frames.state(pfn);
            if ((state & FrameTable.LOCKED) == 0) {
                got = frames.compareAndSetState(pfn, state, state | FrameTable.LOCKED); // ORDER(page-lock) acquire
                if (got) {
                    break;
                }
            } else if (mayPause(wait, pfn, state)) {
                wait.pause();
            }
        }
        wait.finish();
        if (got) {
            taken(actor, pfn);
        }
        return got;
    }

    /** Whether a wait without a reference still makes sense; asked again and again. */
    @FunctionalInterface
    public interface Reason {
        boolean remains();
    }

    /** folio_wait_locked: waits until the page is unlocked, without taking the lock; false on a fatal signal. */
    public boolean waitUnlocked(final Actor actor, final long pfn, final boolean killable) {
        return waitUnlockedSlow(actor, pfn, killable, null);
    }

    /**
     * migration_entry_wait_on_locked: waits until the page is unlocked, without a reference on it. It may be freed
     * meanwhile, used again, and locked by its next owner: then the reason is gone, and so the wait is over.
     */
    public void waitUnlockedUnreferenced(final Actor actor, final long pfn, final Reason reason) {
        waitUnlockedSlow(actor, pfn, false, reason);
    }

    private boolean waitUnlockedSlow(final Actor actor, final long pfn, final boolean killable, final Reason reason) {
        LockEvents.waitsFor(actor, LockClass.PG, pfn);
        if (!frames.has(pfn, FrameTable.LOCKED)) {
            return true;
        }
        final Wait wait = actor.startWait(queue(pfn), pfn);
        boolean unlocked;
        while (true) { // ends with the holder's unlock, the signal, or the reason
            final long state = frames.state(pfn);
            unlocked = (state & FrameTable.LOCKED) == 0;
            if (unlocked || killable && actor.isKilled() || reason != null && !reason.remains()) {
                break;
            }
            if (mayPause(wait, pfn, state)) {
                wait.pause();
            }
        }
        wait.finish();
        return unlocked;
    }

    /** An armed sleeper sleeps only on a word that says so: its unlock will then wake. */
    private boolean mayPause(final Wait wait, final long pfn, final long state) {
        return !wait.isArmed()
                || (state & FrameTable.WAITERS) != 0
                || frames.compareAndSetState(pfn, state, state | FrameTable.WAITERS);
    }

    /** folio_unlock. */
    public void unlock(final Actor actor, final long pfn) {
        frames.setLockOwner(pfn, 0);
        LockEvents.released(actor, LockClass.PG, pfn, false);
        // ORDER(page-lock) release
        final long before = frames.clearBits(pfn, FrameTable.LOCKED | FrameTable.WAITERS);
        if ((before & FrameTable.LOCKED) == 0) {
            throw new IllegalStateException("unlock of an unlocked page: pfn=" + pfn + ", actor=" + actor);
        }
        if ((before & FrameTable.WAITERS) != 0) {
            queue(pfn).wake(actor, pfn);
        }
    }

    /** Whether the page is locked now. */
    public boolean isLocked(final long pfn) {
        return frames.has(pfn, FrameTable.LOCKED);
    }

    private void taken(final Actor actor, final long pfn) {
        frames.setLockOwner(pfn, actor.id());
        LockEvents.acquired(actor, LockClass.PG, pfn, false);
    }

    private WaitQueue queue(final long pfn) {
        return queues[(int) (pfn * 0x9E3779B97F4A7C15L >>> 56)];
    }
}
