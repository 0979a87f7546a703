package mmutex.memory;

import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * One record per frame, a cache line each: the kernel's {@code struct page} of an order-0 folio.
 *
 * <pre>
 *   +0   state       flag bits below; the lock bit lives here
 *   +8   refcount    holders
 *   +16  mapcount    mappings, counted as the semantic profile counts them
 *   +24  mapping     reverse-map id of the anon_vma or, with FILE, of the file that owns the page, 0 = none
 *   +32  index       linear page index within that anon_vma or file
 *   +40  lock owner  actor that locked the page, for diagnosis only: PG_locked has no owner
 *   +48  private     owner's word: swap slot, device, ...
 *   +56  free link   next free frame, while the frame is free
 * </pre>
 *
 * Threads: any. The records are never unmapped and never change type, so a stale frame number can always be asked
 * ({@link #tryGet}); that is O10.
 */
public final class FrameTable {
    /** Page lock, PG_locked. */
    public static final long LOCKED = 1L;
    /** Somebody sleeps until the page is unlocked, PG_waiters. */
    public static final long WAITERS = 1L << 1;
    /** The contents must not be dropped, PG_dirty. */
    public static final long DIRTY = 1L << 2;
    /** Anonymous memory. */
    public static final long ANON = 1L << 3;
    /** One process alone owns this anonymous page, PG_anon_exclusive; not the device-exclusive state. */
    public static final long ANON_EXCLUSIVE = 1L << 4;
    /** The frame is handed out (checkers only). */
    public static final long ALLOCATED = 1L << 5;
    /** Not anonymous: in the page cache of the file that {@link #mapping} names, or a driver's own page if it is 0. */
    public static final long FILE = 1L << 6;
    /** Memory of a device that CPUs can't reach, ZONE_DEVICE with MEMORY_DEVICE_PRIVATE; the private word names whose. */
    public static final long DEVICE_PRIVATE = 1L << 7;

    /** The contents may be dropped while they are clean: MADV_FREE, the kernel's cleared PG_swapbacked. */
    public static final long LAZY_FREE = 1L << 13;

    /** GUP_PIN_COUNTING_BIAS: references that a pin counts for. */
    private static final long PIN_BIAS = 1024;

    private static final int RECORD_SHIFT = 6;
    private static final int STATE = 0;
    private static final int REFCOUNT = 8;
    private static final int MAPCOUNT = 16;
    private static final int MAPPING = 24;
    private static final int INDEX = 32;
    private static final int LOCK_OWNER = 40;
    private static final int PRIVATE = 48;
    private static final int FREE_LINK = 56;

    private final Words words;
    private final long frameCount;

    /**
     * Creates the table.
     *
     * @param frameCount number of frames, numbered from 0
     */
    public FrameTable(final long frameCount) {
        this.frameCount = frameCount;
        this.words = new Words("frame records", frameCount << RECORD_SHIFT);
    }

    /** Number of frames. */
    public long frameCount() {
        return frameCount;
    }

    void ensure(final long pfn) {
        words.ensure(pfn << RECORD_SHIFT);
    }

    // ---- state ----------------------------------------------------------------------------------------------

    /** All state bits. */
    public long state(final long pfn) {
        return words.loadVolatile(at(pfn, STATE));
    }

    /** Whether all the given bits are set. */
    public boolean has(final long pfn, final long bits) {
        return (words.loadVolatile(at(pfn, STATE)) & bits) == bits;
    }

    /** Sets state bits; returns the state before. */
    public long setBits(final long pfn, final long bits) {
        return words.getAndOr(at(pfn, STATE), bits);
    }

    /** Clears state bits; returns the state before. */
    public long clearBits(final long pfn, final long bits) {
        return words.getAndAnd(at(pfn, STATE), ~bits);
    }

    /** One compare-and-set of the state word. */
    public boolean compareAndSetState(final long pfn, final long expected, final long state) {
        return words.compareAndSet(at(pfn, STATE), expected, state);
    }

    /** folio_mark_dirty; avoids writing the line when the bit is already there. */
    public void markDirty(final long pfn) {
        if (!has(pfn, DIRTY)) {
            setBits(pfn, DIRTY);
        }
    }

    // ---- counts ---------------------------------------------------------------------------------------------

    public long refCount(final long pfn) {
        return words.loadVolatile(at(pfn, REFCOUNT));
    }

    /** folio_get: the caller knows that somebody holds the frame. */
    public void get(final long pfn) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        words.getAndAdd(at(pfn, REFCOUNT), 1);
    }

    /** folio_try_get: takes a reference unless the frame is free. */
    public boolean tryGet(final long pfn) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        final long at = at(pfn, REFCOUNT);
        long count;
        do { // ends: each failure means that another thread's change succeeded
            count = words.loadVolatile(at);
            if (count == 0) {
                return false;
            }
            // ORDER(frame-publish) volatile: a count above zero shows the record that prepare has cleared.
        } while (!words.compareAndSet(at, count, count + 1));
        return true;
    }

    /** Drops a reference; true if it was the last one and the caller must free the frame. */
    public boolean putTestZero(final long pfn) {
        return dropTestZero(pfn, 1);
    }

    private boolean dropTestZero(final long pfn, final long references) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        final long after = words.getAndAdd(at(pfn, REFCOUNT), -references) - references;
        if (after < 0) {
            throw new IllegalStateException("reference count underflow: pfn=" + pfn + ", count=" + after);
        }
        return after == 0;
    }

    /** pin_user_page: as {@link #get}, and recognisable: {@link #isMaybePinned}. */
    public void pin(final long pfn) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        words.getAndAdd(at(pfn, REFCOUNT), PIN_BIAS);
    }

    /** unpin_user_page, but for the frame's freeing: true if that was the last reference and the caller must do it. */
    boolean unpinTestZero(final long pfn) {
        return dropTestZero(pfn, PIN_BIAS);
    }

    /** folio_maybe_dma_pinned: true for sure if somebody has pinned the frame, and by mistake with very many references. */
    public boolean isMaybePinned(final long pfn) {
        return refCount(pfn) >= PIN_BIAS;
    }

    public long mapCount(final long pfn) {
        return words.loadVolatile(at(pfn, MAPCOUNT));
    }

    /** Adds to the mapcount; returns the new value. */
    public long addMapCount(final long pfn, final long delta) {
        SchedulePoint.before(Step.FRAME_MAPPING, pfn);
        final long after = words.getAndAdd(at(pfn, MAPCOUNT), delta) + delta;
        if (after < 0) {
            throw new IllegalStateException("mapcount underflow: pfn=" + pfn + ", mapcount=" + after);
        }
        return after;
    }

    // ---- reverse map ----------------------------------------------------------------------------------------

    /** Reverse-map id of the owning anon_vma; with {@link #FILE}, id of the file. */
    public long mapping(final long pfn) {
        return words.loadVolatile(at(pfn, MAPPING));
    }

    /** Linear page index, meaningful with {@link #mapping}. */
    public long index(final long pfn) {
        return words.loadVolatile(at(pfn, INDEX));
    }

    /** Sets the owner; the page is locked, or not yet visible to anybody. */
    public void setMapping(final long pfn, final long mapping, final long index) {
        words.storeRelease(at(pfn, INDEX), index);
        words.storeRelease(at(pfn, MAPPING), mapping);
    }

    // ---- the rest -------------------------------------------------------------------------------------------

    public long lockOwner(final long pfn) {
        return words.loadOpaque(at(pfn, LOCK_OWNER));
    }

    public void setLockOwner(final long pfn, final long actor) {
        words.storeOpaque(at(pfn, LOCK_OWNER), actor);
    }

    public long privateWord(final long pfn) {
        return words.loadVolatile(at(pfn, PRIVATE));
    }

    public void setPrivateWord(final long pfn, final long value) {
        words.storeVolatile(at(pfn, PRIVATE), value);
    }

    long freeLink(final long pfn) {
        return words.loadOpaque(at(pfn, FREE_LINK));
    }

    void setFreeLink(final long pfn, final long next) {
        words.storeOpaque(at(pfn, FREE_LINK), next);
    }

    /** Makes a free frame somebody's: reference count 1, nothing else. */
    void prepare(final long pfn) {
        words.storeOpaque(at(pfn, MAPPING), 0);
        words.storeOpaque(at(pfn, INDEX), 0);
        words.storeOpaque(at(pfn, PRIVATE), 0);
        // A stale locker (R2) may hold or take the lock bit of a recycled frame: keep the lock bits, set the rest.
        long state;
        do { // ends: only lockers change the word of a free frame
            state = words.loadVolatile(at(pfn, STATE));
        } while (!words.compareAndSet(at(pfn, STATE), state, (state & (LOCKED | WAITERS)) | ALLOCATED));
        // ORDER(frame-publish) volatile: the cleared record is visible before the count that lets others in (tryGet).
        // Pairs with the compare-and-set in tryGet.
        words.storeVolatile(at(pfn, REFCOUNT), 1);
    }

    private static long at(final long pfn, final int field) {
        return (pfn << RECORD_SHIFT) + field;
    }
}
