package mmutex.device;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.memory.FrameAllocator;
import mmutex.mm.AddressSpace;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.sync.DriverLock;
import mmutex.sync.LockClass;

/**
 * The kernel's test device: lib/test_hmm.c (6.12), semantics 3.24. A device file; {@link #open} gives a handle that acts
 * on the memory of the process that opened it, for good.
 *
 * <p>It has memory of its own, in chunks: one from the start, another whenever all pages are in use, up to a limit. What
 * CPUs are to it, {@link MirrorMigrator} says.
 */
public final class MirrorDevice {
    /** Above the ids of the devices that compute, which are their cookies. */
    private static final long FIRST_OWNER = 1L << 32;

    /** DEVMEM_CHUNK_SIZE. */
    private static final long CHUNK_SIZE = 256L << 20;
    /** DEVMEM_CHUNKS_RESERVE; the kernel goes on as long as there are physical addresses. */
    private static final int CHUNKS_MAX = 16;

    private final Platform platform;
    private final int number;
    private final long chunkPages;
    private final int chunksMax;
    private final DeviceMemory memory;
    private final DriverLock chunkLock;
    private final List<MirrorHandle> handles = new CopyOnWriteArrayList<>();
    private final AtomicInteger nextHandle = new AtomicInteger();
    private int chunks = 1;

    /**
     * Creates a device with as much memory as the kernel's may get.
     *
     * @param number tells the devices of a machine apart
     */
    public MirrorDevice(final Platform platform, final int number) {
        this(platform, number, CHUNK_SIZE >>> platform.encoding().pageShift(), CHUNKS_MAX);
    }

    /**
     * Creates a device.
     *
     * @param number tells the devices of a machine apart
     * @param chunkPages pages in a chunk of its memory
     * @param chunksMax chunks at most
     */
    public MirrorDevice(final Platform platform, final int number, final long chunkPages, final int chunksMax) {
        this.platform = platform;
        this.number = number;
        this.chunkPages = chunkPages;
        this.chunksMax = chunksMax;
        this.chunkLock = new DriverLock(LockClass.DM, number);
        this.memory = platform.newDeviceMemory(
                owner(), (task, vma, addr, pfn) -> MirrorMigrator.toRam(task, this, vma, addr, pfn));
        memory.grow(chunkPages);
    }

    /** Its number. */
    public int number() {
        return number;
    }

    /**
     * Owner cookie of its device-private memory; never null, unlike the one it passes to make, and no other kind of
     * device's: who took another's MIGRATE event for his own would keep mapping a page that has gone (B29).
     */
    public long owner() {
        return FIRST_OWNER + number;
    }

    /** Its memory. */
    public DeviceMemory memory() {
        return memory;
    }

    /** Opens the device on an address space: empty device table, subscribed to everything. */
    public MirrorHandle open(final Task task, final AddressSpace space) {
        final MirrorHandle handle = new MirrorHandle(task, this, nextHandle.getAndIncrement(), platform, space);
        handles.add(handle);
        return handle;
    }

    /** RELEASE, dmirror_device_remove_chunks: brings every page back to ordinary memory, and gives up all chunks. */
    void release(final Task task) {
        chunkLock.lock(task);
        chunks = 0;
        memory.remove();
        MirrorMigrator.evict(task, this, platform);
        memory.drain();
        chunkLock.unlock(task);
    }

    /** dmirror_fops_release: pages that a closed handle leaves in the device would lead to nobody. */
    void closed(final Task task, final MirrorHandle handle) {
        MirrorMigrator.evict(task, this, platform);
        handles.remove(handle);
    }

    /** dmirror_devmem_alloc_page: a page for a handle; NONE if the device's or the machine's memory is used up. */
    long allocate(final Task task, final MirrorHandle handle) {
        final long pfn = memory.allocate(handle.number());
        return pfn == FrameAllocator.NONE && grow(task) ? memory.allocate(handle.number()) : pfn;
    }

    /** dmirror_allocate_chunk; false if another chunk would not help, or there may be no more. */
    private boolean grow(final Task task) {
        if (memory.inUse() < memory.capacity()) {
            return false; // the machine's memory is used up
        }
        chunkLock.lock(task);
        final boolean room = memory.inUse() < memory.capacity();
        final boolean grows = !room && chunks < chunksMax;
        if (grows) {
            chunks++;
            memory.grow(chunkPages);
        }
        chunkLock.unlock(task);
        return room || grows;
    }

    /** The handles that are open. */
    List<MirrorHandle> handles() {
        return handles;
    }
}
