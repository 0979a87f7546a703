package mmutex.mm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;

/**
 * The memory of one device, which CPUs can't reach: frames of the machine's table that are {@link
 * FrameTable#DEVICE_PRIVATE}. A frame's private word says whose it is:
 *
 * <pre>
 *   63                          16 15                0
 *  +------------------------------+-------------------+
 *  |       the driver's word      |  id of the memory |      id 0: nobody's
 *  +------------------------------+-------------------+
 * </pre>
 *
 * <p>What a page contains is in its frame's data, where the kernel's test driver keeps a page of ordinary memory behind
 * each of its own. No present entry ever refers to such a frame.
 *
 * <p>Threads: any. Kernel counterpart: {@code struct dev_pagemap} and a driver's free list (6.12).
 */
public final class DeviceMemory {
    static final int ID_BITS = 16;
    private static final long ID_MASK = (1L << ID_BITS) - 1;
    private static final VarHandle IN_USE;
    private static final VarHandle CAPACITY;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            IN_USE = lookup.findVarHandle(DeviceMemory.class, "inUse", long.class);
            CAPACITY = lookup.findVarHandle(DeviceMemory.class, "capacity", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final FrameTable frames;
    private final FrameAllocator pool;
    private final int id;
    private final long owner;
    private final DeviceMemoryOps ops;

    @SuppressWarnings("unused") // through IN_USE
    private long inUse;

    @SuppressWarnings("unused") // through CAPACITY
    private long capacity;

    DeviceMemory(final Platform platform, final int id, final long owner, final DeviceMemoryOps ops) {
        this.frames = platform.frames();
        this.pool = platform.allocator().newPool();
        this.id = id;
        this.owner = owner;
        this.ops = ops;
    }

    /** The owner cookie: whom MIGRATE events name, and whose pages a migration or hmm_range_fault takes for its own. */
    public long owner() {
        return owner;
    }

    /** What the driver does for it. */
    public DeviceMemoryOps ops() {
        return ops;
    }

    /** Pages in use. */
    public long inUse() {
        return (long) IN_USE.getVolatile(this);
    }

    /** Pages there are. */
    public long capacity() {
        return (long) CAPACITY.getVolatile(this);
    }

    /** Adds pages. */
    public void grow(final long pages) {
        CAPACITY.getAndAdd(this, pages);
    }

    /** Takes all pages away: what is in use stays so, but nothing is handed out until it grows again. */
    public void remove() {
        CAPACITY.setVolatile(this, 0L);
    }

    /** Gives frames that nobody uses back to the machine. */
    public void drain() {
        pool.drain();
    }

    /**
     * zone_device_page_init: takes a page with reference count 1 and undefined contents.
     *
     * @param word the driver's word, 48 bits
     * @return its frame number, or {@link FrameAllocator#NONE} if the device's or the machine's memory is used up
     */
    public long allocate(final long word) {
        long used;
        do { // a failure means that another thread's change succeeded
            used = inUse();
            if (used >= capacity()) {
                return FrameAllocator.NONE;
            }
        } while (!IN_USE.compareAndSet(this, used, used + 1));
        final long pfn = pool.allocate();
        if (pfn == FrameAllocator.NONE) {
            IN_USE.getAndAdd(this, -1L);
            return FrameAllocator.NONE;
        }
        // Whoever comes to the frame without an entry that leads to it (isOwn) finds one of: not a device's, nobody's,
        // ours.
        frames.setPrivateWord(pfn, word << ID_BITS | id);
        frames.setBits(pfn, FrameTable.DEVICE_PRIVATE);
        return pfn;
    }

    /** The driver's word of a frame of its device. */
    public long word(final long pfn) {
        return frames.privateWord(pfn) >>> ID_BITS;
    }

    /** Whether a frame is one of this memory's now. Any frame number may be asked. */
    public boolean isOwn(final long pfn) {
        return frames.has(pfn, FrameTable.DEVICE_PRIVATE) && id(frames, pfn) == id;
    }

    void freed(final long pfn) {
        pool.recycle(pfn);
        IN_USE.getAndAdd(this, -1L);
    }

    static int id(final FrameTable frames, final long pfn) {
        return (int) (frames.privateWord(pfn) & ID_MASK);
    }
}
