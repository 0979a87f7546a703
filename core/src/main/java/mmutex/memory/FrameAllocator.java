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
 * up. Runs are never put together again: there is no compaction here, so once memory has been handed out in single frames
 * {@link #allocateCompound} finds none, as in a kernel whose memory is fragmented.
 *
 * <p>Threads: any; lock-free.
 */
public final class FrameAllocator {
    /** The shared zero page: always reads zero, never counted. */
    public static final long ZERO_FRAME = 1;
    /** Returned when no frame is left. */
    public static final long NONE = 0;

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

    @SuppressWarnings("unused") // through NEXT_FRESH
    private volatile long nextFresh = FIRST_FRAME;

    @SuppressWarnings("unused") // through IN_USE
    private volatile long inUse;

    /** Creates the allocator and the zero frame. */
    public FrameAllocator(final FrameTable frames, final FrameData data) {
        this.frames = frames;
        this.data = data;
        this.single = new FrameStack(frames);
        this.runs = new FrameStack(frames);
        frames.attach(this);
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
        long pfn = single.pop();
        if (pfn == NONE) {
            pfn = fresh();
            if (pfn == NONE) {
                pfn = breakUp();
                if (pfn == NONE) {
                    return NONE;
                }
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

    private void free(final long folio) {
        if (frames.folioMapCount(folio) != 0) {
            throw new IllegalStateException(
                    "freed while mapped: pfn=" + folio + ", mapcount=" + frames.folioMapCount(folio));
        }
        final boolean large = frames.isLarge(folio);
        final int count = frames.folioFrames(folio);
        for (int i = count - 1; i >= 0; i--) {
            frames.clearBits(folio + i, ~(FrameTable.LOCKED | FrameTable.WAITERS));
        }
        IN_USE.getAndAdd(this, (long) -count);
        (large ? runs : single).push(folio);
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
        } while (!NEXT_FRESH.compareAndSet(this, seen, folio + length));
        for (long pfn = seen; pfn < folio + length; pfn++) {
            frames.ensure(pfn);
            data.ensure(pfn);
            if (pfn < folio) {
                single.push(pfn);
            }
        }
        return folio;
    }

    /** A free run becomes single frames; one of them is returned, or NONE. */
    private long breakUp() {
        final long run = runs.pop();
        if (run == NONE) {
            return NONE;
        }
        for (long pfn = run + frames.compoundFrames() - 1; pfn > run; pfn--) {
            single.push(pfn);
        }
        return run;
    }
}
