package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Aligned runs of frames that are in use frame by frame. Free frames of such a run wait here, parked, and when all of them
 * do, the run is whole again. The kernel's buddy allocator, with two orders.
 *
 * <p>A frame is parked by a bit in its record; a count per run says how many of its frames there are to be had. A bit is set
 * before its frame is counted, and a frame is counted out before a bit is cleared; so there are never fewer bits than frames
 * that are counted or being looked for, and whoever has counted one out finds one. Of a run whose frames are all counted,
 * nobody is looking for one.
 *
 * <p>Threads: any; lock-free.
 */
final class SplitRuns {
    private static final long NOT_SPLIT = 0;
    private static final long NONE_PARKED = 1;
    private static final VarHandle PARKED;

    static {
        try {
            PARKED = MethodHandles.lookup().findVarHandle(SplitRuns.class, "parked", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final FrameTable frames;
    private final int length;
    private final int order;

    /** By run: {@link #NOT_SPLIT}, or one more than the frames to be had. */
    private final AtomicLongArray counts;

    private volatile int hint;

    @SuppressWarnings("unused") // through PARKED
    private volatile long parked;

    SplitRuns(final FrameTable frames) {
        this.frames = frames;
        this.length = frames.compoundFrames();
        this.order = frames.compoundOrder();
        this.counts = new AtomicLongArray(Math.toIntExact((frames.frameCount() >>> order) + 1));
    }

    /** A run is handed out frame by frame from now on; none of its frames is free. */
    void open(final long run) {
        counts.set(index(run), NONE_PARKED);
    }

    /** Whether a frame that nobody uses any more is to be parked. */
    boolean isSplit(final long pfn) {
        return counts.get(index(pfn)) != NOT_SPLIT;
    }

    /**
     * Parks a free frame of a split run.
     *
     * @return the run, which is whole again and the caller's; or {@link FrameAllocator#NONE}
     */
    long park(final long pfn) {
        final int index = index(pfn);
        // ORDER(frame-free-list) volatile: the last owner is done with the frame.
        frames.setBits(pfn, FrameTable.PARKED);
        PARKED.getAndAdd(this, 1L);
        final long count = counts.incrementAndGet(index);
        if (count != NONE_PARKED + length || !counts.compareAndSet(index, count, NOT_SPLIT)) {
            return FrameAllocator.NONE;
        }
        PARKED.getAndAdd(this, (long) -length);
        final long run = pfn & -(long) length;
        for (int i = 0; i < length; i++) {
            frames.clearBits(run + i, FrameTable.PARKED);
        }
        return run;
    }

    /** A free frame of a split run, or {@link FrameAllocator#NONE}. */
    long take() {
        if (parked <= 0) {
            return FrameAllocator.NONE;
        }
        final int runs = counts.length();
        final int first = hint;
        for (int i = 0; i < runs; i++) {
            final int index = (first + i) % runs;
            if (countOut(index)) {
                hint = index;
                return find((long) index << order);
            }
        }
        return FrameAllocator.NONE;
    }

    private boolean countOut(final int index) {
        long count;
        do { // ends: each failure means that another thread's change succeeded
            count = counts.get(index);
            if (count <= NONE_PARKED) {
                return false;
            }
        } while (!counts.compareAndSet(index, count, count - 1));
        PARKED.getAndAdd(this, -1L);
        return true;
    }

    private long find(final long run) {
        while (true) { // ends: one of the bits is the caller's; a round without it means that others' moved meanwhile
            for (int i = 0; i < length; i++) {
                // ORDER(frame-free-list) volatile: the frame's last owner is done with it. Pairs with park.
                if (frames.has(run + i, FrameTable.PARKED)
                        && (frames.clearBits(run + i, FrameTable.PARKED) & FrameTable.PARKED) != 0) {
                    return run + i;
                }
            }
        }
    }

    private int index(final long pfn) {
        return (int) (pfn >>> order);
    }
}
