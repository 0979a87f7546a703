package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The mmap lock of an address space: a fair readers-writer lock, and the sequence that ends all per-VMA write marks when
 * the writer leaves.
 *
 * <p>Kernel counterpart: {@code mm->mmap_lock}, {@code mm->mm_lock_seq} (6.12).
 */
public final class MmapLock extends FairRwLock {
    private static final VarHandle SEQUENCE;

    static {
        try {
            SEQUENCE = MethodHandles.lookup().findVarHandle(MmapLock.class, "sequence", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // through SEQUENCE
    private long sequence;

    public MmapLock() {
        super(LockClass.MM);
    }

    /** The current write section's number; compared with the marks in {@link VmaLock}. */
    long sequence() {
        return (long) SEQUENCE.getVolatile(this);
    }

    /** Ends all VMA write marks of this section, then releases the lock. */
    @Override
    public void writeUnlock(final Actor actor) {
        // ORDER(vma-unmark) release: the changes made to the VMAs come before the end of their marks. Pairs with the
        // volatile look at the sequence in VmaLock.tryReadLock.
        SEQUENCE.setRelease(this, (long) SEQUENCE.getOpaque(this) + 1);
        super.writeUnlock(actor);
    }
}
