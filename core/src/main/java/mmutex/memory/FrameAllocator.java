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

    /** Told of a device-private frame whose last reference is gone: {@code dev_pagemap_ops.page_free} (6.12). */
    @FunctionalInterface
    public interface DeviceFrameOwner {
        /** The frame belongs to nobody now; its private word still says whose it was. */
        void freed(long pfn);
    }

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
    private final FrameAllocator source;
    private final DeviceFrameOwner deviceOwner;

    @SuppressWarnings("unused") // through HEAD
    private volatile long head;

    @SuppressWarnings("unused") // through NEXT_FRESH
    private volatile long nextFresh = FIRST_FRAME;

    @SuppressWarnings("unused") // through IN_USE
    private volatile long inUse;

    /** Creates the allocator of a machine without devices that have memory, and the zero frame. */
    public FrameAllocator(final FrameTable frames, final FrameData data) {
        this(frames, data, pfn -> {
            throw new IllegalStateException("no device has memory: pfn=" + pfn);
        });
    }

    /**
     * Creates the allocator and the zero frame.
     *
     * @param deviceOwner gets the frames back that are {@link FrameTable#DEVICE_PRIVATE} when they are freed
     */
    public FrameAllocator(final FrameTable frames, final FrameData data, final DeviceFrameOwner deviceOwner) {
        this.frames = frames;
        this.data = data;
        this.source = null;
        this.deviceOwner = deviceOwner;
        frames.ensure(ZERO_FRAME);
        data.ensure(ZERO_FRAME);
    }

    private FrameAllocator(final FrameAllocator source) {
        this.frames = source.frames;
        this.data = source.data;
        this.source = source;
        this.deviceOwner = source.deviceOwner;
    }

    /**
     * A pool of frames of their own, as a device has: it takes what it needs from this allocator, and keeps what is given
     * back to it ({@link #recycle}), so that its frames don't become ordinary memory meanwhile.
     */
    public FrameAllocator newPool() {
        return new FrameAllocator(this);
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
        final long pfn = take();
        if (pfn == NONE) {
            return NONE;
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
        final long before = frames.clearBits(pfn, ~(FrameTable.LOCKED | FrameTable.WAITERS));
        if ((before & FrameTable.DEVICE_PRIVATE) != 0) {
            deviceOwner.freed(pfn);
        } else {
            recycle(pfn);
        }
    }

    /** Gives a frame back to the pool that handed it out; nobody has a reference. Used by owners of device frames only. */
    public void recycle(final long pfn) {
        IN_USE.getAndAdd(this, -1L);
        push(pfn);
    }

    /** Gives the frames that a pool keeps back to the allocator that they came from. */
    public void drain() {
        for (long pfn = pop(); pfn != NONE; pfn = pop()) {
            source.push(pfn);
        }
    }

    private void push(final long pfn) {
        long seen;
        do { // lock-free: a failure means that another push or pop succeeded
            seen = (long) HEAD.getVolatile(this);
            frames.setFreeLink(pfn, seen & LINK_MASK);
            // ORDER(frame-free-list) volatile compare-and-set: the link and the last owner's accesses come before the
            // frame can be popped. Pairs with the compare-and-set in pop.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, pfn)));
    }

    /** A pool takes frames that nobody had yet, as long as there are any: a device's memory is a range of its own. */
    private long take() {
        long pfn = pop();
        if (pfn == NONE) {
            pfn = source == null ? fresh() : source.fresh();
        }
        return pfn != NONE || source == null ? pfn : source.pop();
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
            // ORDER(frame-free-list) volatile: the frame's last owner is done with it. Pairs with push.
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
