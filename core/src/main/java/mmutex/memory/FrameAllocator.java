package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * Hands out frames: recycled ones from a lock-free stack through the frame records, else fresh ones in order.
 *
 * <p>Frame 0 is never used, so that no entry of any encoding is mistaken for an empty one, and frame
 * {@link #ZERO_FRAME} is the shared zero page. Running out is a result, not an exception: the emulated kernel's ENOMEM.
 *
 * <p>Threads: any; lock-free. The stack head carries a tag that moves with every change, so that a frame that was
 * taken and returned between a pop's load and its compare-and-set (ABA) is noticed.
 */
public final class FrameAllocator {
    /** The shared zero page: always reads zero, never counted. */
    public static final long ZERO_FRAME = 1;
    /** Returned when no frame is left. */
    public static final long NONE = 0;

    private static final long FIRST_FRAME = 2;
    private static final int LINK_BITS = 40;
    private static final long LINK_MASK = (1L << LINK_BITS) - 1;
    private static final VarHandle HEAD;
    private static final VarHandle NEXT_FRESH;
    private static final VarHandle IN_USE;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            HEAD = lookup.findVarHandle(FrameAllocator.class, "head", long.class);
            NEXT_FRESH = lookup.findVarHandle(FrameAllocator.class, "nextFresh", long.class);
            IN_USE = lookup.findVarHandle(FrameAllocator.class, "inUse", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final FrameTable frames;
    private final FrameData data;

    @SuppressWarnings("unused") // through HEAD
    private volatile long head;

    @SuppressWarnings("unused") // through NEXT_FRESH
    private volatile long nextFresh = FIRST_FRAME;

    @SuppressWarnings("unused") // through IN_USE
    private volatile long inUse;

    /** Creates the allocator and the zero frame. */
    public FrameAllocator(final FrameTable frames, final FrameData data) {
        this.frames = frames;
        this.data = data;
        frames.ensure(ZERO_FRAME);
        data.ensure(ZERO_FRAME);
    }

    /** Frames handed out now. */
    public long inUse() {
        return (long) IN_USE.getVolatile(this);
    }

    /** One more than the highest frame number ever handed out. */
    public long limit() {
        return Math.min((long) NEXT_FRESH.getVolatile(this), frames.frameCount());
    }

    /**
     * Takes a frame with reference count 1 and undefined contents.
     *
     * @return its number, or {@link #NONE} if none is left
     */
    public long allocate() {
        SchedulePoint.before(Step.FRAME_REFERENCE, NONE);
        long pfn = pop();
        if (pfn == NONE) {
            pfn = fresh();
            if (pfn == NONE) {
                return NONE;
            }
        }
        IN_USE.getAndAdd(this, 1L);
        frames.prepare(pfn);
        return pfn;
    }

    /** Takes a zeroed frame, or {@link #NONE}. */
    public long allocateZeroed() {
        final long pfn = allocate();
        if (pfn != NONE) {
            data.clear(pfn);
        }
        return pfn;
    }

    /** Drops a reference (folio_put) and frees the frame if it was the last. */
    public void put(final long pfn) {
        if (frames.putTestZero(pfn)) {
            free(pfn);
        }
    }

    /** Drops a pin and frees the frame if nobody else holds it. */
    public void unpin(final long pfn) {
        if (frames.unpinTestZero(pfn)) {
            free(pfn);
        }
    }

    private void free(final long pfn) {
        if (frames.mapCount(pfn) != 0) {
            throw new IllegalStateException("freed while mapped: pfn=" + pfn + ", mapcount=" + frames.mapCount(pfn));
        }
        frames.clearBits(pfn, ~(FrameTable.LOCKED | FrameTable.WAITERS));
        IN_USE.getAndAdd(this, -1L);
        long seen;
        do { // lock-free: a failure means that another push or pop succeeded
            seen = (long) HEAD.getVolatile(this);
            frames.setFreeLink(pfn, seen & LINK_MASK);
            // ORDER(frame-free-list) volatile compare-and-set: the link and the last owner's accesses come before the
            // frame can be popped. Pairs with the compare-and-set in pop.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, pfn)));
    }

    private long pop() {
        long seen;
        long pfn;
        do { // lock-free, as above
            seen = (long) HEAD.getVolatile(this);
            pfn = seen & LINK_MASK;
            if (pfn == NONE) {
                return NONE;
            }
            // The link may be stale if another thread pops the frame now; the tag makes the compare-and-set fail then.
            // ORDER(frame-free-list) volatile: the frame's last owner is done with it. Pairs with free.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, frames.freeLink(pfn))));
        return pfn;
    }

    private long fresh() {
        if ((long) NEXT_FRESH.getVolatile(this) >= frames.frameCount()) {
            return NONE;
        }
        final long pfn = (long) NEXT_FRESH.getAndAdd(this, 1L);
        if (pfn >= frames.frameCount()) {
            return NONE;
        }
        frames.ensure(pfn);
        data.ensure(pfn);
        return pfn;
    }

    private static long tagged(final long previous, final long pfn) {
        return ((previous >>> LINK_BITS) + 1) << LINK_BITS | pfn;
    }
}
