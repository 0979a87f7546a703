package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The per-VMA lock: lets a fault use one VMA without the mmap lock. Readers count themselves; a writer, who holds the
 * mmap lock for writing, marks the VMA with the mmap lock's sequence number and waits until the readers are gone. The
 * mark ends, for all VMAs at once, when the mmap lock's sequence moves on.
 *
 * <p>Order: {@code ORDER(vma-lock)}, a Dekker pair: the reader counts itself, then looks at the mark; the writer marks,
 * then looks at the count; both with volatile accesses, so at least one sees the other. Litmus: VmaLockStress.
 *
 * <p>Kernel counterpart: {@code vma_start_read}, {@code vma_start_write}, {@code vma_end_write_all} (6.12).
 */
public final class VmaLock {
    private static final VarHandle READERS;
    private static final VarHandle MARK;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            READERS = lookup.findVarHandle(VmaLock.class, "readers", int.class);
            MARK = lookup.findVarHandle(VmaLock.class, "mark", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final WaitQueue queue = new WaitQueue();
    private final long instance = System.identityHashCode(this); // tells instances apart in reports

    @SuppressWarnings("unused") // through READERS
    private int readers;

    @SuppressWarnings("unused") // through MARK
    private long mark = -1;

    /** Takes the lock shared unless a writer has marked the VMA. */
    public boolean tryReadLock(final Actor actor, final MmapLock mmapLock) {
        LockEvents.acquiring(actor, LockClass.VL, instance, true, true);
        READERS.getAndAdd(this, 1); // ORDER(vma-lock) count, then look
        // ORDER(vma-unmark) acquire: a sequence that has moved on shows the writer's changes. Pairs with the release in
        // MmapLock.writeUnlock.
        if ((long) MARK.getVolatile(this) == mmapLock.sequence()) {
            leave(actor);
            return false;
        }
        LockEvents.acquired(actor, LockClass.VL, instance, true);
        return true;
    }

    /** Releases a shared hold. */
    public void readUnlock(final Actor actor) {
        LockEvents.released(actor, LockClass.VL, instance, true);
        leave(actor);
    }

    private void leave(final Actor actor) {
        if ((int) READERS.getAndAdd(this, -1) == 1 && (long) MARK.getVolatile(this) >= 0) {
            queue.wakeIfAnyAfterUpdate(actor, instance);
        }
    }

    /** Marks the VMA and waits for its readers; the caller holds the mmap lock for writing. */
    public void writeLock(final Actor actor, final MmapLock mmapLock) {
        final long sequence = mmapLock.sequence();
        if ((long) MARK.getOpaque(this) == sequence) {
            return;
        }
        LockEvents.acquiring(actor, LockClass.VL, instance, false, false);
        MARK.setVolatile(this, sequence); // ORDER(vma-lock) mark, then look
        if ((int) READERS.getVolatile(this) != 0) {
            final Wait wait = actor.startWait(queue, instance);
            while ((int) READERS.getVolatile(this) != 0) { // ends: new readers see the mark and leave
                wait.pause();
            }
            wait.finish();
        }
        // The kernel's rwsem is dropped at once as well; what stays is the mark.
        LockEvents.acquired(actor, LockClass.VL, instance, false);
        LockEvents.released(actor, LockClass.VL, instance, false);
    }
}
