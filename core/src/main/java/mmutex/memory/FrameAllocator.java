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
 * <p>Compound pages are aligned runs of {@link FrameTable#compoundFrames} frames, from a stack of their own, else from
 * fresh frames; the frames skipped for the alignment go to single use. When single frames run out, a free run is broken
 * up; a run whose frames are all free again is whole again ({@link SplitRuns}). Memory that was handed out in fresh single
 * frames never becomes a run: there is no compaction for that here.
 *
 * <p>Threads: any; lock-free.
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
    private static final VarHandle NEXT_FRESH;
    private static final VarHandle IN_USE;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            NEXT_FRESH = lookup.findVarHandle(FrameAllocator.class, "nextFresh", long.class);
            IN_USE = lookup.findVarHandle(FrameAllocator.class, "inUse", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final FrameTable frames;
    private final FrameData data;
    private final FrameStack single;
    private final FrameStack runs;
    private final SplitRuns splitRuns;
    private final FrameAllocator source;
    private final DeviceFrameOwner deviceOwner;

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
        this.single = new FrameStack(frames);
        this.runs = new FrameStack(frames);
        this.splitRuns = new SplitRuns(frames);
        this.source = null;
        this.deviceOwner = deviceOwner;
        frames.attach(this);
        frames.ensure(ZERO_FRAME);
        data.ensure(ZERO_FRAME);
    }

    private FrameAllocator(final FrameAllocator source) {
        this.frames = source.frames;
        this.data = source.data;
        this.single = new FrameStack(frames);
        this.runs = source.runs;
        this.splitRuns = source.splitRuns;
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

    /** One more than the highest frame number ever handed out. Whoever looks at frames up to it finds their records. */
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

    /**
     * Takes a compound page with reference count 1 and undefined contents.
     *
     * @return the number of its first frame, or {@link #NONE} if no run is left
     */
    public long allocateCompound() {
        SchedulePoint.before(Step.FRAME_REFERENCE, NONE);
        long folio = runs.pop();
        if (folio == NONE) {
            folio = freshRun();
            if (folio == NONE) {
                return NONE;
            }
        }
        IN_USE.getAndAdd(this, (long) frames.compoundFrames());
        frames.prepareCompound(folio);
        return folio;
    }

    /** Takes a zeroed compound page, or {@link #NONE}. */
    public long allocateCompoundZeroed() {
        final long folio = allocateCompound();
        if (folio != NONE) {
            for (int i = 0; i < frames.compoundFrames(); i++) {
                data.clear(folio + i);
            }
        }
        return folio;
    }

    /** Drops a reference on a page's folio (put_page) and frees the folio if it was the last. */
    public void put(final long pfn) {
        final long folio = frames.head(pfn);
        if (frames.putTestZero(folio)) {
            free(folio);
        }
    }

    /** Drops a pin on a page's folio and frees the folio if nobody else holds it. */
    public void unpin(final long pfn) {
        final long folio = frames.head(pfn);
        if (frames.unpinTestZero(folio)) {
            free(folio);
        }
    }

    private void free(final long folio) {
        if (frames.folioMapCount(folio) != 0) {
            throw new IllegalStateException(
                    "freed while mapped: pfn=" + folio + ", mapcount=" + frames.folioMapCount(folio));
        }
        if (frames.isLarge(folio)) {
            freeCompound(folio);
            return;
        }
        final long before = frames.clearBits(folio, ~(FrameTable.LOCKED | FrameTable.WAITERS));
        if ((before & FrameTable.DEVICE_PRIVATE) != 0) {
            deviceOwner.freed(folio);
        } else if (splitRuns.isSplit(folio)) {
            IN_USE.getAndAdd(this, -1L);
            final long run = splitRuns.park(folio);
            if (run != NONE) {
                runs.push(run);
            }
        } else {
            recycle(folio);
        }
    }

    /**
     * Makes the pages of a compound page single ones: {@link FrameTable#freeze frozen}, unmapped, and all of them locked by
     * the caller, whose each of them is then.
     */
    public void splitCompound(final long folio) {
        splitRuns.open(folio);
        frames.splitCompound(folio);
    }

    private void freeCompound(final long folio) {
        for (long pfn = folio + frames.compoundFrames() - 1; pfn >= folio; pfn--) {
            frames.clearBits(pfn, ~(FrameTable.LOCKED | FrameTable.WAITERS));
        }
        IN_USE.getAndAdd(this, (long) -frames.compoundFrames());
        runs.push(folio);
    }

    /** Gives a frame back to the pool that handed it out; nobody has a reference. Used by owners of device frames only. */
    public void recycle(final long pfn) {
        IN_USE.getAndAdd(this, -1L);
        single.push(pfn);
    }

    /** Gives the frames that a pool keeps back to the allocator that they came from. */
    public void drain() {
        for (long pfn = single.pop(); pfn != NONE; pfn = single.pop()) {
            source.single.push(pfn);
        }
    }

    /** A pool takes frames that nobody had yet, as long as there are any: a device's memory is a range of its own. */
    private long take() {
        long pfn = single.pop();
        if (pfn == NONE && source == null) {
            pfn = splitRuns.take();
        }
        if (pfn == NONE) {
            pfn = source == null ? fresh() : source.fresh();
        }
        if (pfn == NONE && source != null) {
            pfn = source.single.pop();
        }
        if (pfn == NONE && source != null) {
            pfn = splitRuns.take();
        }
        return pfn != NONE ? pfn : (source == null ? this : source).breakUp();
    }

    private long fresh() {
        long pfn;
        do { // lock-free: a failure means that another thread took fresh frames
            pfn = (long) NEXT_FRESH.getVolatile(this);
            if (pfn >= frames.frameCount()) {
                return NONE;
            }
            ensure(pfn, pfn + 1); // first: who learns of the new limit may look at the records at once
        } while (!NEXT_FRESH.compareAndSet(this, pfn, pfn + 1));
        return pfn;
    }

    private void ensure(final long first, final long end) {
        for (long pfn = first; pfn < end; pfn++) {
            frames.ensure(pfn);
            data.ensure(pfn);
        }
    }

    private long freshRun() {
        final long length = frames.compoundFrames();
        long seen;
        long folio;
        do { // lock-free: a failure means that another thread took fresh frames
            seen = (long) NEXT_FRESH.getVolatile(this);
            folio = seen + length - 1 & -length;
            if (folio + length > frames.frameCount()) {
                return NONE;
            }
            ensure(seen, folio + length);
        } while (!NEXT_FRESH.compareAndSet(this, seen, folio + length));
        for (long pfn = seen; pfn < folio; pfn++) {
            single.push(pfn);
        }
        return folio;
    }

    /** A free run becomes single frames; one of them is returned, or NONE. */
    private long breakUp() {
        final long run = runs.pop();
        if (run == NONE) {
            return NONE;
        }
        splitRuns.open(run);
        for (long pfn = run + frames.compoundFrames() - 1; pfn > run; pfn--) {
            splitRuns.park(pfn);
        }
        return run;
    }
}
