package mmutex.mm;

import java.util.Arrays;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.SwapSlots;
import mmutex.sync.Actor;
import mmutex.sync.ActorLocal;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;

/**
 * Pages that are in memory although entries still lead to their slot: when one of several processes that share a page has
 * swapped it in, the others get the same frame. mm/swap_state.c (6.12), which keeps there every page on its way out or in;
 * here only those that several entries share.
 *
 * <p>The cache refers to the frame and to the slot, and lets go of both when nobody else refers to the slot.
 *
 * <p>Threads: any. The lock is a leaf: leaf-table locks may be held.
 */
public final class SwapCache {
    private static final ActorLocal<byte[][]> BOUNCE = new ActorLocal<>(() -> new byte[1][]);

    private final SwapSlots slots;
    private final FrameTable frames;
    private final FrameAllocator allocator;
    private final SpinLock lock = new SpinLock(LockClass.LF);
    /** Frame by slot; under the lock, under which slots are given out, too (the kernel's si->lock). */
    private final long[] pages;

    SwapCache(final SwapSlots slots, final FrameTable frames, final FrameAllocator allocator) {
        this.slots = slots;
        this.frames = frames;
        this.allocator = allocator;
        this.pages = new long[(int) slots.capacity() + 1];
        Arrays.fill(pages, FrameAllocator.NONE);
    }

    /** What the pages are read from. */
    public SwapSlots slots() {
        return slots;
    }

    /**
     * Takes free slots in a row, each with a count of 1; {@link SwapSlots#NONE} if there are none, or the area is closed.
     * Whoever gets one has it before {@link #close} returns.
     */
    public long allocate(final Actor actor, final int pages) {
        lock.lock(actor);
        final long slot = pages == 1 ? slots.allocate() : slots.allocateRow(pages);
        lock.unlock(actor);
        return slot;
    }

    /** swapoff begins: gives no more slots out, and knows of all that are in use. */
    public void close(final Actor actor) {
        lock.lock(actor);
        slots.close();
        lock.unlock(actor);
    }

    /** Copies a slot to which the caller refers into a frame that is his. */
    public void load(final Actor actor, final long slot, final long pfn) {
        slots.load(slot, pfn, bounce(actor));
    }

    /** Copies a frame that nobody can change into a slot that is the caller's. */
    public void save(final Actor actor, final long slot, final long pfn) {
        slots.save(slot, pfn, bounce(actor));
    }

    private byte[] bounce(final Actor actor) {
        final byte[][] holder = BOUNCE.of(actor);
        if (holder[0] == null || holder[0].length != slots.pageLength()) {
            holder[0] = new byte[slots.pageLength()];
        }
        return holder[0];
    }

    /** The frame of a slot to which the caller refers, with a reference; {@link FrameAllocator#NONE} if it has none. */
    public long find(final Actor actor, final long slot) {
        lock.lock(actor);
        final long pfn = pages[(int) slot];
        if (pfn != FrameAllocator.NONE) {
            frames.get(pfn);
        }
        lock.unlock(actor);
        return pfn;
    }

    /** The frame of a slot, without a reference (checkers). */
    public long peek(final Actor actor, final long slot) {
        lock.lock(actor);
        final long pfn = pages[(int) slot];
        lock.unlock(actor);
        return pfn;
    }

    /** Adds the frame of a slot to which the caller refers; false if there is another one already. */
    public boolean add(final Actor actor, final long slot, final long pfn) {
        lock.lock(actor);
        final boolean first = pages[(int) slot] == FrameAllocator.NONE;
        if (first) {
            pages[(int) slot] = pfn;
            frames.get(pfn);
            slots.get(slot);
        }
        lock.unlock(actor);
        return first;
    }

    /** One reference to a slot less; the last one but the cache's takes the page out of it. */
    public void put(final Actor actor, final long slot) {
        if (slots.put(slot) != 1) {
            return;
        }
        lock.lock(actor);
        final long pfn = pages[(int) slot];
        // Somebody may have referred to it again meanwhile: then it is his to let go.
        final boolean last = pfn != FrameAllocator.NONE && slots.count(slot) == 1;
        if (last) {
            pages[(int) slot] = FrameAllocator.NONE;
        }
        lock.unlock(actor);
        if (last) {
            slots.put(slot);
            allocator.put(pfn);
        }
    }
}
