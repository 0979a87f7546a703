package mmutex.memory;

import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * One record per frame, a cache line each: the kernel's {@code struct page}.
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
 * <p>A <em>folio</em> is a frame of its own or a compound page: an aligned run of 2^{@link #compoundOrder} frames that is
 * handed out and freed as one. References, page lock, dirty, mapping and index are the folio's and live in its first
 * record, the head's; mappings by single entries and AnonExclusive are each page's own. The first tail's record, which
 * has no mapping of its own, holds two counts of the folio: +24 all mappings of all its pages, +32 mappings of the whole
 * by one huge entry. ANON, which never changes while a folio lives, is repeated in every record.
 *
 * <p>Methods about references and {@link #markDirty} take any page of a folio, as the kernel's {@code get_page} does;
 * those about the page lock and the reverse map take the folio ({@link #head}): who calls them keeps it in a local, since
 * a frame that he has no reference on may become part of another folio meanwhile.
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

    /** Pages of equal content share it, {@link #ANON} as well: whoever writes gets a copy. */
    public static final long KSM = 1L << 9;
    /** The contents may be dropped while they are clean: MADV_FREE, the kernel's cleared PG_swapbacked. */
    public static final long LAZY_FREE = 1L << 13;

    /** Free, and waiting for the rest of its run: {@link SplitRuns}. */
    static final long PARKED = 1L << 14;

    /** GUP_PIN_COUNTING_BIAS: references that a pin counts for. */
    private static final long PIN_BIAS = 1024;
    /** First page of a compound page, PG_head. */
    public static final long COMPOUND_HEAD = 1L << 10;
    /** Another page of a compound page (PageTail). */
    public static final long COMPOUND_TAIL = 1L << 11;

    private static final int RECORD_SHIFT = 6;
    private static final int STATE = 0;
    private static final int REFCOUNT = 8;
    private static final int MAPCOUNT = 16;
    private static final int MAPPING = 24;
    private static final int INDEX = 32;
    private static final int LOCK_OWNER = 40;
    private static final int PRIVATE = 48;
    private static final int FREE_LINK = 56;

    private static final int FOLIO_MAPCOUNT = 24; // of the first tail
    private static final int ENTIRE_MAPCOUNT = 32;
    private static final int COMPOUND_ORDER_DEFAULT = 9;
    private static final long LOCK_BITS = LOCKED | WAITERS;

    private final Words words;
    private final long frameCount;
    private final int compoundOrder;
    private FrameAllocator allocator; // set once, by the allocator's constructor

    /**
     * Creates the table; compound pages have 512 frames.
     *
     * @param frameCount number of frames, numbered from 0
     */
    public FrameTable(final long frameCount) {
        this(frameCount, COMPOUND_ORDER_DEFAULT);
    }

    /**
     * Creates the table.
     *
     * @param frameCount number of frames, numbered from 0
     * @param compoundOrder base-2 logarithm of the frames in a compound page
     */
    public FrameTable(final long frameCount, final int compoundOrder) {
        this.frameCount = frameCount;
        this.compoundOrder = compoundOrder;
        this.words = new Words("frame records", frameCount << RECORD_SHIFT);
    }

    void attach(final FrameAllocator newAllocator) {
        this.allocator = newAllocator;
    }

    /** Number of frames. */
    public long frameCount() {
        return frameCount;
    }

    void ensure(final long pfn) {
        words.ensure(pfn << RECORD_SHIFT);
    }

    // ---- folios ---------------------------------------------------------------------------------------------

    /** Base-2 logarithm of the frames in a compound page. */
    public int compoundOrder() {
        return compoundOrder;
    }

    /** Frames in a compound page. */
    public int compoundFrames() {
        return 1 << compoundOrder;
    }

    /**
     * page_folio: the first frame of the folio that a frame belongs to; itself, unless it is a tail. Stable while the
     * caller holds a reference on the folio.
     */
    public long head(final long pfn) {
        return (words.loadVolatile(at(pfn, STATE)) & COMPOUND_TAIL) == 0 ? pfn : pfn & -(1L << compoundOrder);
    }

    /** Whether the frame is one of a compound page (folio_test_large of its folio). */
    public boolean isLarge(final long pfn) {
        return (words.loadVolatile(at(pfn, STATE)) & (COMPOUND_HEAD | COMPOUND_TAIL)) != 0;
    }

    /** folio_nr_pages. */
    public int folioFrames(final long folio) {
        return isLarge(folio) ? compoundFrames() : 1;
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

    /** set_page_dirty; avoids writing the line when the bit is already there. */
    public void markDirty(final long pfn) {
        final long folio = head(pfn);
        if (!has(folio, DIRTY)) {
            setBits(folio, DIRTY);
        }
    }

    /** Whether the folio of a page is dirty. */
    public boolean isDirty(final long pfn) {
        return has(head(pfn), DIRTY);
    }

    // ---- counts ---------------------------------------------------------------------------------------------

    /** References on the folio of a page. */
    public long refCount(final long pfn) {
        return words.loadVolatile(at(head(pfn), REFCOUNT));
    }

    /** get_page: the caller knows that somebody holds the page's folio. */
    public void get(final long pfn) {
        getMany(pfn, 1);
    }

    /** folio_ref_add. */
    public void getMany(final long pfn, final long references) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        words.getAndAdd(at(head(pfn), REFCOUNT), references);
    }

    /** try_get_page, as GUP-fast does it: takes a reference on a page's folio unless it is free. */
    public boolean tryGet(final long pfn) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        while (true) { // ends: each round means that the frame left its compound page, which happens once
            final long folio = head(pfn);
            if (!tryGetFolio(folio)) {
                return false;
            }
            // A frame that was no tail when its own count was found above zero can't become one while that is held.
            if (folio == pfn || head(pfn) == folio) {
                return true;
            }
            allocator.put(folio);
        }
    }

    private boolean tryGetFolio(final long folio) {
        final long at = at(folio, REFCOUNT);
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

    /** Drops a reference on a folio; true if it was the last one and the caller must free the folio. */
    public boolean putTestZero(final long folio) {
        return dropTestZero(folio, 1);
    }

    private boolean dropTestZero(final long folio, final long references) {
        SchedulePoint.before(Step.FRAME_REFERENCE, folio);
        final long after = words.getAndAdd(at(folio, REFCOUNT), -references) - references;
        if (after < 0) {
            throw new IllegalStateException("reference count underflow: pfn=" + folio + ", count=" + after);
        }
        return after == 0;
    }

    /** pin_user_page: as {@link #get}, and recognisable: {@link #isMaybePinned}. */
    public void pin(final long pfn) {
        SchedulePoint.before(Step.FRAME_REFERENCE, pfn);
        words.getAndAdd(at(head(pfn), REFCOUNT), PIN_BIAS);
    }

    /** unpin_user_page, but for the frame's freeing: true if that was the last reference and the caller must do it. */
    boolean unpinTestZero(final long folio) {
        return dropTestZero(folio, PIN_BIAS);
    }

    /** folio_maybe_dma_pinned: true for sure if somebody has pinned the frame, and by mistake with very many references. */
    public boolean isMaybePinned(final long pfn) {
        return refCount(pfn) >= PIN_BIAS;
    }

    /** Mappings of one page, by entries of its own and by huge entries (folio_precise_page_mapcount). */
    public long mapCount(final long pfn) {
        final long own = words.loadVolatile(at(pfn, MAPCOUNT));
        return isLarge(pfn) ? own + entireMapCount(head(pfn)) : own;
    }

    /** Mappings of a folio by huge entries, which map it whole. */
    public long entireMapCount(final long folio) {
        return isLarge(folio) ? words.loadVolatile(at(folio + 1, ENTIRE_MAPCOUNT)) : 0;
    }

    /** Mappings of all pages of a folio, a huge entry counted once (folio_mapcount). */
    public long folioMapCount(final long folio) {
        return isLarge(folio)
                ? words.loadVolatile(at(folio + 1, FOLIO_MAPCOUNT))
                : words.loadVolatile(at(folio, MAPCOUNT));
    }

    /** Counts mappings of one page by entries of its own; returns the new number of those. */
    public long addMapCount(final long pfn, final long delta) {
        SchedulePoint.before(Step.FRAME_MAPPING, pfn);
        if (isLarge(pfn)) {
            addCount(head(pfn) + 1, FOLIO_MAPCOUNT, delta);
        }
        return addCount(pfn, MAPCOUNT, delta);
    }

    /** Counts mappings of a compound page by huge entries; returns the new number of those. */
    public long addEntireMapCount(final long folio, final long delta) {
        SchedulePoint.before(Step.FRAME_MAPPING, folio);
        addCount(folio + 1, FOLIO_MAPCOUNT, delta);
        return addCount(folio + 1, ENTIRE_MAPCOUNT, delta);
    }

    private long addCount(final long pfn, final int field, final long delta) {
        final long after = words.getAndAdd(at(pfn, field), delta) + delta;
        if (after < 0) {
            throw new IllegalStateException("mapcount underflow: pfn=" + pfn + ", mapcount=" + after);
        }
        return after;
    }

    // ---- reverse map ----------------------------------------------------------------------------------------

    /** Reverse-map id of the anon_vma that owns a folio; with {@link #FILE}, id of the file. */
    public long mapping(final long pfn) {
        return words.loadVolatile(at(pfn, MAPPING));
    }

    /** Linear page index of a folio's first page, meaningful with {@link #mapping}. */
    public long index(final long pfn) {
        return words.loadVolatile(at(pfn, INDEX));
    }

    /** Sets the owner of a folio; it is locked, or not yet visible to anybody. */
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
        clear(pfn, ALLOCATED);
        // ORDER(frame-publish) volatile: the cleared record is visible before the count that lets others in (tryGet).
        // Pairs with the compare-and-set in tryGet.
        words.storeVolatile(at(pfn, REFCOUNT), 1);
    }

    /** Makes a free aligned run somebody's compound page: as {@link #prepare}; the tails' own counts stay 0. */
    void prepareCompound(final long folio) {
        for (long pfn = folio + compoundFrames() - 1; pfn > folio; pfn--) {
            clear(pfn, ALLOCATED | COMPOUND_TAIL);
        }
        clear(folio, ALLOCATED | COMPOUND_HEAD);
        words.storeVolatile(at(folio, REFCOUNT), 1); // ORDER(frame-publish) volatile, behind all the records
    }

    /** folio_ref_freeze: keeps others from taking references on a folio; false if the caller's isn't the only one. */
    public boolean freeze(final long folio) {
        SchedulePoint.before(Step.FRAME_REFERENCE, folio);
        return words.compareAndSet(at(folio, REFCOUNT), 1, 0);
    }

    /** folio_ref_unfreeze: undoes {@link #freeze}. */
    public void unfreeze(final long folio) {
        words.storeVolatile(at(folio, REFCOUNT), 1);
    }

    /**
     * __split_folio: makes the pages of an unmapped, frozen compound page folios of their own, each with one reference,
     * the caller's. They keep what the whole was: anonymous, dirty, at their place in the reverse map. The caller has all
     * of them locked.
     */
    void splitCompound(final long folio) {
        final long mapping = mapping(folio);
        final long index = index(folio);
        // The head first: whoever has the number of a tail, and no reference, then no longer takes the first
        // tail's words for counts.
        final long inherited = clearBits(folio, COMPOUND_HEAD) & (ANON | DIRTY | LAZY_FREE);
        for (long pfn = folio + compoundFrames() - 1; pfn > folio; pfn--) {
            setMapping(pfn, mapping, index + (pfn - folio));
            setBits(pfn, inherited);
            clearBits(pfn, COMPOUND_TAIL);
            // ORDER(frame-publish) volatile: as in prepare; a stale number leads to the page itself from now on.
            words.storeVolatile(at(pfn, REFCOUNT), 1);
        }
        words.storeVolatile(at(folio, REFCOUNT), 1); // ORDER(frame-publish) volatile
    }

    private void clear(final long pfn, final long bits) {
        words.storeOpaque(at(pfn, MAPPING), 0);
        words.storeOpaque(at(pfn, INDEX), 0);
        words.storeOpaque(at(pfn, PRIVATE), 0);
        // A stale locker (R2) may hold or take the lock bit of a recycled frame: keep the lock bits, set the rest.
        long state;
        do { // ends: only lockers change the word of a free frame
            state = words.loadVolatile(at(pfn, STATE));
        } while (!words.compareAndSet(at(pfn, STATE), state, (state & LOCK_BITS) | bits));
    }

    private static long at(final long pfn, final int field) {
        return (pfn << RECORD_SHIFT) + field;
    }
}
