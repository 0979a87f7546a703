package mmutex.mm;

import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.memory.SwapSlots;
import mmutex.memory.TableArena;
import mmutex.notify.NotifierRange;
import mmutex.sync.AccessWindow;
import mmutex.sync.Actor;
import mmutex.sync.PageLock;
import mmutex.sync.PteLock;
import mmutex.sync.SrcuDomain;

/**
 * What all address spaces of a machine share: the encoding, the profile, and the physical side of memory.
 *
 * <p>Threads: immutable; its parts say for themselves.
 */
public final class Platform {
    /** Devices with memory of their own that a machine can have, less one. */
    private static final int DEVICE_MEMORIES_MAX = 256;

    private final PteEncoding encoding;
    private final SemanticProfile profile;
    private final Set<Quirk> quirks;
    private final FrameTable frames;
    private final FrameData data;
    private final FrameAllocator allocator;
    private final TableArena tables;
    private final PageLock pageLock;
    private final PteLock pteLock;
    private final AccessWindow[] windows;
    private final SrcuDomain srcu = new SrcuDomain();
    private final AnonVmaTable anonVmas = new AnonVmaTable();
    private final FileTable files = new FileTable();
    private final HugePagePool hugePages;
    private final ReverseMap reverseMap;
    private volatile SwapCache swapCache;
    private final AtomicReferenceArray<DeviceMemory> deviceMemories = new AtomicReferenceArray<>(DEVICE_MEMORIES_MAX);
    private final AtomicInteger nextDeviceMemory = new AtomicInteger(1); // 0 in a frame's private word: nobody's
    private final HugeZero hugeZero;
    private volatile TransparentHugePages transparentHugePages = TransparentHugePages.MADVISE;

    /**
     * Creates the shared state.
     *
     * @param encoding of leaf entries
     * @param profile kernel behaviour
     * @param frameCount frames of memory, at least 16
     * @param tableCount page tables at most, CPU and device together
     * @param cpuCount CPUs, at most {@link mmutex.sync.AccessWindows#CPUS_MAX}
     */
    public Platform(
            final PteEncoding encoding,
            final SemanticProfile profile,
            final long frameCount,
            final long tableCount,
            final int cpuCount) {
        this(encoding, profile, Set.of(), frameCount, tableCount, cpuCount);
    }

    /**
     * The same with defects of the kernel that are wanted.
     *
     * @param quirks which
     */
    public Platform(
            final PteEncoding encoding,
            final SemanticProfile profile,
            final Set<Quirk> quirks,
            final long frameCount,
            final long tableCount,
            final int cpuCount) {
        this.encoding = encoding;
        this.profile = profile;
        this.quirks = Set.copyOf(quirks);
        this.frames = new FrameTable(frameCount, encoding.indexBits());
        this.data = new FrameData(frameCount, encoding.pageShift());
        this.allocator = new FrameAllocator(
                frames,
                data,
                pfn -> deviceMemories.get(DeviceMemory.id(frames, pfn)).freed(pfn));
        this.hugeZero = new HugeZero(allocator);
        this.tables = new TableArena(encoding.indexBits() + 3, tableCount);
        this.hugePages = new HugePagePool(this);
        this.pageLock = new PageLock(frames);
        this.pteLock = new PteLock(tables);
        this.windows = new AccessWindow[cpuCount];
        for (int i = 0; i < cpuCount; i++) {
            windows[i] = new AccessWindow();
        }
        this.reverseMap = new ReverseMap(this);
    }

    public PteEncoding encoding() {
        return encoding;
    }

    public SemanticProfile profile() {
        return profile;
    }

    /** Whether a defect of the kernel is wanted. Asked when something is set up, not on hot paths. */
    public boolean has(final Quirk quirk) {
        return quirks.contains(quirk);
    }

    public FrameTable frames() {
        return frames;
    }

    public FrameData data() {
        return data;
    }

    public FrameAllocator allocator() {
        return allocator;
    }

    public TableArena tables() {
        return tables;
    }

    public PageLock pageLock() {
        return pageLock;
    }

    public PteLock pteLock() {
        return pteLock;
    }

    /** The access windows, by CPU number. */
    public AccessWindow[] windows() {
        return windows;
    }

    /** From frames to their mappings, for whoever has a frame and no address space. */
    public ReverseMap reverseMap() {
        return reverseMap;
    }

    public SrcuDomain srcu() {
        return srcu;
    }

    /** Bytes in a page. */
    public long pageSize() {
        return 1L << encoding.pageShift();
    }

    /** put_page: drops a reference that a page getter gave on a page's folio; the zero frame is not counted. */
    public void putPage(final long pfn) {
        if (pfn != FrameAllocator.ZERO_FRAME) {
            allocator.put(pfn);
        }
    }

    // ---- swap -----------------------------------------------------------------------------------------------

    /** The swap area; null if there has never been one. A closed one stays until there is another. */
    public SwapSlots swap() {
        final SwapCache cache = swapCache;
        return cache == null ? null : cache.slots();
    }

    /** Its pages that are in memory; null if there has never been an area. */
    public SwapCache swapCache() {
        return swapCache;
    }

    /** swapon: pages go to another area from now on; the last one is closed, and none of its slots is in use. */
    public void swap(final SwapSlots area) {
        swapCache = new SwapCache(area, frames, allocator);
    }

    // ---- large pages ----------------------------------------------------------------------------------------

    /** unlock_page: releases the lock of the folio that a page belongs to; the caller holds a reference on it. */
    public void unlockPage(final Actor actor, final long pfn) {
        pageLock.unlock(actor, frames.head(pfn));
    }

    /** The huge page of zeroes. */
    public HugeZero hugeZero() {
        return hugeZero;
    }

    /** Where faults map huge pages: /sys/kernel/mm/transparent_hugepage/enabled. */
    public TransparentHugePages transparentHugePages() {
        return transparentHugePages;
    }

    /** Changes the policy for later faults. */
    public void transparentHugePages(final TransparentHugePages policy) {
        transparentHugePages = policy;
    }

    // ---- files and huge pages -------------------------------------------------------------------------------

    /** Frames set apart for hugetlb mappings. */
    public HugePagePool hugePages() {
        return hugePages;
    }

    /**
     * Makes an empty file with one holder.
     *
     * @param sizePages its size
     * @return null if there is no room for the root table of its page cache
     */
    public FileMapping createFile(final Actor actor, final FileMapping.Kind kind, final long sizePages) {
        return files.create(actor, this, kind, sizePages);
    }

    /** The file that a frame record names; null if it is gone. */
    public FileMapping file(final long id) {
        return files.get(id);
    }

    /** All files (checkers). */
    public List<FileMapping> files() {
        return files.all();
    }

    void removeFile(final Actor actor, final FileMapping dead) {
        files.remove(actor, dead);
    }

    // ---- memory of devices ----------------------------------------------------------------------------------

    /**
     * memremap_pages: gives a device memory of its own, of no pages yet. For good.
     *
     * @param owner cookie that tells it from others, not the null one
     * @param ops what its driver does for it
     * @throws IllegalStateException if there are too many devices
     */
    public DeviceMemory newDeviceMemory(final long owner, final DeviceMemoryOps ops) {
        if (owner == NotifierRange.NO_OWNER) {
            throw new IllegalArgumentException("memory of a device needs an owner: owner=" + owner);
        }
        final int id = nextDeviceMemory.getAndIncrement();
        if (id >= DEVICE_MEMORIES_MAX) {
            throw new IllegalStateException("too many devices with memory: " + id);
        }
        final DeviceMemory memory = new DeviceMemory(this, id, owner, ops);
        deviceMemories.set(id, memory);
        return memory;
    }

    /**
     * page_pgmap: the memory that a device-private frame belongs to. Null if the frame is none: an entry that was read
     * without its lock may lead to a frame that has been freed since, and used again.
     */
    public DeviceMemory deviceMemory(final long pfn) {
        if (!frames.has(pfn, FrameTable.DEVICE_PRIVATE)) {
            return null;
        }
        final int id = DeviceMemory.id(frames, pfn);
        return id < DEVICE_MEMORIES_MAX ? deviceMemories.get(id) : null;
    }

    /** How many memories there are; their ids begin with 1 (checkers). */
    public int deviceMemoryCount() {
        return Math.min(nextDeviceMemory.get(), DEVICE_MEMORIES_MAX) - 1;
    }

    /** A memory by its id; null while it is being made (checkers). */
    public DeviceMemory deviceMemoryById(final int id) {
        return deviceMemories.get(id);
    }

    AnonVma createAnonVma(final Actor actor, final AnonVma parent) {
        return anonVmas.create(actor, parent);
    }

    AnonVma anonVma(final long id) {
        return anonVmas.get(id);
    }

    void removeAnonVma(final Actor actor, final AnonVma dead) {
        anonVmas.remove(actor, dead);
    }
}
