package mmutex.mm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.memory.FrameAllocator;

/**
 * The huge page of zeroes that read faults share: not anonymous, and mapped without being counted.
 *
 * <p>Taken when first needed and then kept, with one reference; the kernel counts the address spaces that use it and gives
 * it back when memory is short and none does.
 *
 * <p>Threads: any. Kernel counterpart: {@code huge_zero_folio}, mm/huge_memory.c (6.12).
 */
public final class HugeZero {
    private static final VarHandle FOLIO;

    static {
        try {
            FOLIO = MethodHandles.lookup().findVarHandle(HugeZero.class, "folio", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final FrameAllocator allocator;

    @SuppressWarnings("unused") // through FOLIO
    private long folio;

    HugeZero(final FrameAllocator allocator) {
        this.allocator = allocator;
    }

    /** mm_get_huge_zero_folio: its first frame, or {@link FrameAllocator#NONE} if no compound page is left. */
    public long get() {
        final long seen = (long) FOLIO.getVolatile(this);
        if (seen != FrameAllocator.NONE) {
            return seen;
        }
        final long fresh = allocator.allocateCompoundZeroed();
        if (fresh == FrameAllocator.NONE || FOLIO.compareAndSet(this, FrameAllocator.NONE, fresh)) {
            return fresh;
        }
        allocator.put(fresh);
        return (long) FOLIO.getVolatile(this);
    }

    /** Its first frame; {@link FrameAllocator#NONE} while nobody has needed it. */
    public long current() {
        return (long) FOLIO.getVolatile(this);
    }

    /** is_huge_zero_folio; of {@link FrameAllocator#NONE} false. */
    public boolean is(final long candidate) {
        return candidate != FrameAllocator.NONE && candidate == current();
    }
}
