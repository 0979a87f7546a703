package mmutex.sync;

import mmutex.memory.TableArena;
import mmutex.memory.Words;

/**
 * The page-table lock: one word beside each leaf table. A spin lock: its holder never waits for anything but a window
 * drain, which is bounded by the few instructions of an access.
 *
 * <p>Order: {@code ORDER(pte-lock)}: compare-and-set on entry, release store on exit. Two at once only in fork (child,
 * then parent) and mremap (old, then new). Litmus: PteLockStress.
 *
 * <p>Kernel counterpart: {@code pte_lockptr}, split page-table locks (6.12).
 */
public final class PteLock {
    private final TableArena arena;
    private final Words meta;

    public PteLock(final TableArena arena) {
        this.arena = arena;
        this.meta = arena.meta();
    }

    /** Takes the lock of the table that holds a slot. */
    public void lock(final Actor actor, final long slot) {
        final long word = arena.lockWord(slot);
        LockEvents.acquiring(actor, LockClass.PT, word, false, false);
        if (!meta.compareAndSet(word, 0, actor.id())) { // ORDER(pte-lock) acquire
            lockSlow(actor, word);
        }
        LockEvents.acquired(actor, LockClass.PT, word, false);
    }

    private void lockSlow(final Actor actor, final long word) {
        final Wait wait = actor.startWait(null, word);
        do {
            wait.pauseSpinning();
        } while (meta.loadOpaque(word) != 0 || !meta.compareAndSet(word, 0, actor.id()));
        wait.finish();
    }

    /** Releases it. */
    public void unlock(final Actor actor, final long slot) {
        final long word = arena.lockWord(slot);
        LockEvents.released(actor, LockClass.PT, word, false);
        meta.storeRelease(word, 0); // ORDER(pte-lock) release
    }

    /** Whether anybody holds the lock of the table that holds a slot. */
    public boolean isLocked(final long slot) {
        return meta.loadAcquire(arena.lockWord(slot)) != 0;
    }

    /** Id of the actor that holds the lock of the table that holds a slot, 0 if nobody does (checkers). */
    public long holder(final long slot) {
        return meta.loadAcquire(arena.lockWord(slot));
    }

    /** Whether two slots lie in one table, that is, have one lock. */
    public boolean isSameLock(final long slot, final long other) {
        return arena.lockWord(slot) == arena.lockWord(other);
    }
}
