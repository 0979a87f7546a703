package mmutex.mm;

import mmutex.layout.PteEncoding;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.memory.TableArena;
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
    private final PteEncoding encoding;
    private final SemanticProfile profile;
    private final FrameTable frames;
    private final FrameData data;
    private final FrameAllocator allocator;
    private final TableArena tables;
    private final PageLock pageLock;
    private final PteLock pteLock;
    private final AccessWindow[] windows;
    private final SrcuDomain srcu = new SrcuDomain();
    private final AnonVmaTable anonVmas = new AnonVmaTable();
    private final HugeZero hugeZero;
    private volatile HugePagePolicy hugePages = HugePagePolicy.MADVISE;

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
        this.encoding = encoding;
        this.profile = profile;
        this.frames = new FrameTable(frameCount, encoding.indexBits());
        this.data = new FrameData(frameCount, encoding.pageShift());
        this.allocator = new FrameAllocator(frames, data);
        this.hugeZero = new HugeZero(allocator);
        this.tables = new TableArena(encoding.indexBits() + 3, tableCount);
        this.pageLock = new PageLock(frames);
        this.pteLock = new PteLock(tables);
        this.windows = new AccessWindow[cpuCount];
        for (int i = 0; i < cpuCount; i++) {
            windows[i] = new AccessWindow();
        }
    }

    public PteEncoding encoding() {
        return encoding;
    }

    public SemanticProfile profile() {
        return profile;
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

    /** unlock_page: releases the lock of the folio that a page belongs to; the caller holds a reference on it. */
    public void unlockPage(final Actor actor, final long pfn) {
        pageLock.unlock(actor, frames.head(pfn));
    }

    /** The huge page of zeroes. */
    public HugeZero hugeZero() {
        return hugeZero;
    }

    /** Where faults map huge pages: /sys/kernel/mm/transparent_hugepage/enabled. */
    public HugePagePolicy hugePages() {
        return hugePages;
    }

    /** Changes the policy for later faults. */
    public void hugePages(final HugePagePolicy policy) {
        hugePages = policy;
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
