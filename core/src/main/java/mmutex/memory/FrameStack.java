package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A stack of free frames, linked through their records.
 *
 * <p>Threads: any; lock-free. The head carries a tag that moves with every change, so that a frame that was taken and
 * returned between a pop's load and its compare-and-set (ABA) is noticed.
 */
final class FrameStack {
    private static final int LINK_BITS = 40;
    private static final long LINK_MASK = (1L << LINK_BITS) - 1;
    private static final VarHandle HEAD;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(FrameStack.class, "head", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final FrameTable frames;

    @SuppressWarnings("unused") // through HEAD
    private volatile long head;

    FrameStack(final FrameTable frames) {
        this.frames = frames;
    }

    void push(final long pfn) {
        long seen;
        do { // lock-free: a failure means that another push or pop succeeded
            seen = (long) HEAD.getVolatile(this);
            frames.setFreeLink(pfn, seen & LINK_MASK);
            // ORDER(frame-free-list) volatile compare-and-set: the link and the last owner's accesses come before the
            // frame can be popped. Pairs with the compare-and-set in pop.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, pfn)));
    }

    /** A frame, or {@link FrameAllocator#NONE}. */
    long pop() {
        long seen;
        long pfn;
        do { // lock-free, as above
            seen = (long) HEAD.getVolatile(this);
            pfn = seen & LINK_MASK;
            if (pfn == FrameAllocator.NONE) {
                return FrameAllocator.NONE;
            }
            // The link may be stale if another thread pops the frame now; the tag makes the compare-and-set fail then.
            // ORDER(frame-free-list) volatile: the frame's last owner is done with it. Pairs with push.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, frames.freeLink(pfn))));
        return pfn;
    }

    private static long tagged(final long previous, final long pfn) {
        return ((previous >>> LINK_BITS) + 1) << LINK_BITS | pfn;
    }
}
