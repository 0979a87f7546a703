package mmutex.memory;

/**
 * A swap area: slots of a page each, with the number of references to each: entries, and whoever keeps it for a moment.
 * Slot 0 is never used, as on disk.
 *
 * <p>Threads: any; lock-free. Contents of a slot change only while nobody refers to it but the one who took it. An entry
 * that has not changed may still be another one, of the same page swapped out again to the same slot; so a reader refers to
 * the slot himself before he reads and until he has looked at the entry again.
 *
 * <p>Kernel counterpart: {@code struct swap_info_struct}, mm/swapfile.c (6.12); here without a disk.
 */
public final class SwapSlots {
    /** Returned when no slot is left. */
    public static final long NONE = 0;

    private final FrameData memory;
    private final Words contents;
    private final Words counts;
    private final long slots;
    private final int pageShift;
    private volatile boolean closed;

    /**
     * Creates an area with every slot free.
     *
     * @param memory what pages are read from and written to
     * @param slots pages it can hold, at least 1
     */
    public SwapSlots(final FrameData memory, final long slots) {
        this.memory = memory;
        this.slots = slots;
        this.pageShift = memory.pageShift();
        this.contents = new Words("swap slots", slots + 1 << pageShift);
        this.counts = new Words("swap counts", (slots + 1) * Long.BYTES);
        for (long slot = 1; slot <= slots; slot++) {
            contents.ensure(slot << pageShift);
            counts.ensure(slot * Long.BYTES);
        }
    }

    /** Pages it can hold. */
    public long capacity() {
        return slots;
    }

    /** Bytes in a page. */
    public int pageLength() {
        return memory.pageLength();
    }

    /** Slots in use. */
    public long inUse() {
        long used = 0;
        for (long slot = 1; slot <= slots; slot++) {
            used += count(slot) != 0 ? 1 : 0;
        }
        return used;
    }

    /** References to a slot. */
    public long count(final long slot) {
        return counts.loadVolatile(slot * Long.BYTES);
    }

    /** Gives no more slots out; those in use stay readable. */
    public void close() {
        closed = true;
    }

    /** Undoes {@link #close}. */
    public void open() {
        closed = false;
    }

    public boolean isClosed() {
        return closed;
    }

    /** Takes a free slot, with a count of 1; {@link #NONE} if there is none. */
    public long allocate() {
        if (closed) {
            return NONE;
        }
        for (long slot = 1; slot <= slots; slot++) {
            if (count(slot) == 0 && counts.compareAndSet(slot * Long.BYTES, 0, 1)) {
                return slot;
            }
        }
        return NONE;
    }

    /**
     * Takes free slots in a row, as for a large folio, each with a count of 1; {@link #NONE} if there are none. Rows begin
     * at multiples of their length, behind slot 0 (swap clusters).
     *
     * @return the first of them
     */
    public long allocateRow(final int length) {
        for (long first = 1; !closed && first + length - 1 <= slots; first += length) {
            int taken = 0;
            while (taken < length && counts.compareAndSet((first + taken) * Long.BYTES, 0, 1)) {
                taken++;
            }
            if (taken == length) {
                return first;
            }
            while (taken > 0) {
                put(first + --taken);
            }
        }
        return NONE;
    }

    /** swap_duplicate: one more entry refers to it; the caller holds one that does. */
    public void get(final long slot) {
        counts.getAndAdd(slot * Long.BYTES, 1);
    }

    /**
     * swapcache_prepare: as {@link #get}, by somebody who only knows that an entry has referred to it; false if it is free.
     */
    public boolean tryGet(final long slot) {
        long count = count(slot);
        while (count != 0) { // ends: somebody else has succeeded whenever this fails
            if (counts.compareAndSet(slot * Long.BYTES, count, count + 1)) {
                return true;
            }
            count = count(slot);
        }
        return false;
    }

    /** swap_free: one reference less; returns how many are left. */
    public long put(final long slot) {
        final long left = counts.getAndAdd(slot * Long.BYTES, -1) - 1;
        if (left < 0) {
            throw new IllegalStateException("swap count underflow: slot=" + slot + ", count=" + left);
        }
        return left;
    }

    /** Copies a frame that nobody can change into a slot that is the caller's. */
    public void save(final long slot, final long pfn, final byte[] bounce) {
        memory.read(pfn, 0, bounce, 0, memory.pageLength());
        contents.write(slot << pageShift, bounce, 0, memory.pageLength());
    }

    /** Copies a slot into a frame that is the caller's. */
    public void load(final long slot, final long pfn, final byte[] bounce) {
        contents.read(slot << pageShift, bounce, 0, memory.pageLength());
        memory.write(pfn, 0, bounce, 0, memory.pageLength());
    }
}
