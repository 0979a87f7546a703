package mmutex.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.memory.Words;
import mmutex.sync.Actor;
import mmutex.sync.FairRwLock;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;

/**
 * What a file's pages are and which VMAs map them: {@code struct address_space} with the size of its inode,
 * mm/filemap.c and mm/shmem.c (6.12).
 *
 * <p>The page cache is a radix tree from page index to frame number; it holds one reference on each frame. A page is in
 * the cache as long as its frame's record names this file and index; that changes only under the page lock, so whoever
 * has found a page locks it and looks again. An index is looked up without a lock; insertions and removals are made under
 * a spin lock (the kernel's {@code i_pages}), together with every change of the size, so that no page is inserted behind
 * an end that has been moved.
 *
 * <p>Threads: any; each method says what its caller holds. {@link #vmas} is guarded by {@link #lock}.
 */
public final class FileMapping {
    /** What stands behind a mapping. */
    public enum Kind {
        /** Shared memory: tmpfs files and shared anonymous memory. */
        SHMEM,
        /** A driver, which inserts its own pages when it is mapped; there is no page cache and no fault handler. */
        DRIVER,
        /** Pages of a leaf table's size each, from the {@link HugePagePool}; private mappings only. */
        HUGETLB
    }

    /** Instead of a frame: the index lies behind the end of the file. */
    public static final long BEYOND_END = -1;
    /** Instead of a frame: no memory is left. */
    public static final long NO_MEMORY = -2;

    private static final long NO_PAGE = FrameAllocator.NONE;

    private final long id;
    private final Platform platform;
    private final FrameTable frames;
    private final Kind kind;
    private final RadixTable pages;
    private final Words entries;
    private final FairRwLock inodeLock = new FairRwLock(LockClass.IR);
    private final FairRwLock lock = new FairRwLock(LockClass.IM);
    private final SpinLock pagesLock = new SpinLock(LockClass.LF);
    private final List<Vma> vmas = new ArrayList<>();
    private final AtomicInteger holders = new AtomicInteger(1);
    private volatile long size;

    // Of a hugetlb file, under the pages' lock:
    private AddressSpace reservedFor;
    private int reservedPages;

    FileMapping(final long id, final Platform platform, final Kind kind, final long size) {
        this.id = id;
        this.platform = platform;
        this.frames = platform.frames();
        this.kind = kind;
        this.size = size;
        this.entries = platform.tables().entries();
        // One level less than an address space has: a file may be as long as an entry of its root table maps there.
        this.pages = kind == Kind.SHMEM
                ? new RadixTable(
                        platform.tables(),
                        Math.max(2, platform.encoding().levels() - 1),
                        platform.encoding().indexBits(),
                        NO_PAGE)
                : null;
    }

    /** Id under which frames refer to it. */
    public long id() {
        return id;
    }

    public Kind kind() {
        return kind;
    }

    /** The machine it belongs to. */
    public Platform platform() {
        return platform;
    }

    /** Pages up to its end. */
    public long size() {
        return size;
    }

    /** The longest it can become, in pages. */
    public long sizeLimit() {
        return pages == null ? 0 : pages.pageLimit();
    }

    /** i_rwsem: exclusive for whoever writes to the file or changes its size. Taken before everything else. */
    public FairRwLock inodeLock() {
        return inodeLock;
    }

    // ---- mappings -------------------------------------------------------------------------------------------

    /** i_mmap_rwsem: shared to walk the VMAs, exclusive to link, unlink or move one. */
    public FairRwLock lock() {
        return lock;
    }

    /** The VMAs that map it, by the first page they map; hold the lock. */
    public List<Vma> vmas() {
        return vmas;
    }

    /**
     * vma_interval_tree_insert: behind others that begin at the same page, so a forked VMA comes after the one it was
     * copied from. Truncation depends on that: it clears the parent's entry before the child's, and so misses none that
     * fork is copying.
     */
    void link(final Vma vma) {
        int at = vmas.size();
        while (at > 0 && vmas.get(at - 1).pageOffset() > vma.pageOffset()) {
            at--;
        }
        vmas.add(at, vma);
    }

    void unlink(final Vma vma) {
        vmas.remove(vma);
    }

    // ---- holders --------------------------------------------------------------------------------------------

    /** get_file: the caller knows that somebody holds it. */
    public void hold() {
        holders.incrementAndGet();
    }

    /** fput: with the last holder its pages go. Waits for page locks. */
    public void release(final Actor actor) {
        if (holders.decrementAndGet() != 0) {
            return;
        }
        if (pages != null) {
            resize(actor, 0);
            removeFrom(actor, 0);
            platform.tables().freeChain(pages.detachAll());
        }
        platform.hugePages().unreserve(actor, reservedPages);
        platform.removeFile(actor, this);
    }

    /** hugetlb_reserve_pages: huge pages that faults of one address space will find; false if there are too few. */
    public boolean reserve(final Actor actor, final AddressSpace space, final int hugePages) {
        if (!platform.hugePages().reserve(actor, hugePages)) {
            return false;
        }
        reservedFor = space; // nobody else knows the file yet
        reservedPages = hugePages;
        return true;
    }

    /** Whether a fault may take one of the reserved pages, and now has. A forked child has no reservation. */
    public boolean useReservation(final Actor actor, final AddressSpace space) {
        pagesLock.lock(actor);
        final boolean promised = space == reservedFor && reservedPages > 0;
        if (promised) {
            reservedPages--;
        }
        pagesLock.unlock(actor);
        return promised;
    }

    // ---- pages ----------------------------------------------------------------------------------------------

    /** i_size_write. Inode lock held for writing, or nobody holds the file any more. */
    public void resize(final Actor actor, final long newSize) {
        pagesLock.lock(actor);
        size = newSize;
        pagesLock.unlock(actor);
    }

    /** Whether there is a page now (mincore, checkers). */
    public boolean isCached(final long index) {
        return index < sizeLimit() && find(index) != NO_PAGE;
    }

    /** First page at or behind {@code from} that is in the cache; {@code end} if there is none before it. */
    public long nextCached(final long from, final long end) {
        final long limit = Math.min(end, sizeLimit());
        long index = from < limit ? pages.nextPopulated(from, limit) : limit;
        while (index < limit) {
            final long tableEnd = pages.leafEnd(index, limit);
            for (; index < tableEnd; index++) {
                if (find(index) != NO_PAGE) {
                    return index;
                }
            }
            index = pages.nextPopulated(tableEnd, limit);
        }
        return end;
    }

    /** The frame of a page as it is now, without reference: for checkers. {@link FrameAllocator#NONE} if there is none. */
    public long peek(final long index) {
        return find(index);
    }

    /**
     * shmem_get_folio with SGP_CACHE: the page of an index, locked and referenced, zero-filled if there was none.
     *
     * @return the frame, {@link #BEYOND_END} or {@link #NO_MEMORY}
     */
    public long lockPage(final Actor actor, final long index) {
        while (index < size) { // ends: each round means that the page was removed or inserted meanwhile
            final long found = lockCached(actor, index);
            final long page = found != NO_PAGE ? found : create(actor, index);
            if (page != NO_PAGE) {
                return page;
            }
        }
        return BEYOND_END;
    }

    /** The page of an index, locked and referenced, if it is there and nobody else has it locked; else NONE. */
    public long tryLockPage(final Actor actor, final long index) {
        final long found = index < size ? tryGet(index) : NO_PAGE;
        if (found == NO_PAGE) {
            return NO_PAGE;
        }
        if (!platform.pageLock().tryLock(actor, found)) {
            platform.allocator().put(found);
            return NO_PAGE;
        }
        if (!isHere(found, index) || index >= size) {
            unlockPage(actor, found);
            return NO_PAGE;
        }
        return found;
    }

    /** The page of an index if there is one, locked and referenced, wherever the end is; else NONE. */
    public long lockCached(final Actor actor, final long index) {
        while (true) { // ends: each round means that the page was removed meanwhile
            final long found = tryGet(index);
            if (found == NO_PAGE) {
                return NO_PAGE;
            }
            platform.pageLock().lock(actor, found);
            if (isHere(found, index)) {
                return found;
            }
            unlockPage(actor, found);
        }
    }

    /** Undoes {@link #lockPage} and its like. */
    public void unlockPage(final Actor actor, final long pfn) {
        platform.pageLock().unlock(actor, pfn);
        platform.allocator().put(pfn);
    }

    /** truncate_inode_folio's last step, filemap_remove_folio: page locked, and mapped nowhere any more. */
    public void remove(final Actor actor, final long index, final long pfn) {
        pagesLock.lock(actor);
        entries.storeRelease(pages.slot(index), NO_PAGE);
        pagesLock.unlock(actor);
        frames.setMapping(pfn, 0, index);
        platform.allocator().put(pfn);
    }

    private void removeFrom(final Actor actor, final long from) {
        for (long index = nextCached(from, sizeLimit());
                index < sizeLimit();
                index = nextCached(index + 1, sizeLimit())) {
            final long pfn = lockCached(actor, index);
            if (pfn != NO_PAGE) {
                remove(actor, index, pfn);
                unlockPage(actor, pfn);
            }
        }
    }

    /** filemap_get_entry: a reference to the page, which may be removed from the cache at any moment; NONE without. */
    private long tryGet(final long index) {
        while (true) { // ends: each round means that the page was removed meanwhile
            final long pfn = find(index);
            if (pfn == NO_PAGE) {
                return NO_PAGE;
            }
            if (frames.tryGet(pfn)) {
                if (find(index) == pfn) {
                    return pfn;
                }
                platform.allocator().put(pfn);
            }
        }
    }

    private long find(final long index) {
        final long slot = pages.slot(index);
        // ORDER(page-cache) acquire: a page that is found is locked until it is initialised, and its record names the
        // file. Pairs with the release in insert.
        return slot == RadixTable.NO_SLOT ? NO_PAGE : entries.loadAcquire(slot);
    }

    /** With the page locked. */
    private boolean isHere(final long pfn, final long index) {
        return frames.has(pfn, FrameTable.FILE) && frames.mapping(pfn) == id && frames.index(pfn) == index;
    }

    /** A fresh page, locked and referenced; NONE if somebody was faster or the end has moved, or NO_MEMORY. */
    private long create(final Actor actor, final long index) {
        final long slot = pages.slotOrCreate(index);
        final long pfn = slot == RadixTable.NO_SLOT
                ? FrameAllocator.NONE
                : platform.allocator().allocateZeroed();
        if (pfn == FrameAllocator.NONE) {
            return NO_MEMORY;
        }
        platform.pageLock().lock(actor, pfn); // at once, but for a stale locker of the frame's former life (R2)
        frames.setMapping(pfn, id, index);
        frames.setBits(pfn, FrameTable.FILE);
        frames.get(pfn); // the cache's
        if (insert(actor, slot, index, pfn)) {
            return pfn;
        }
        frames.setMapping(pfn, 0, 0);
        platform.allocator().put(pfn);
        unlockPage(actor, pfn);
        return NO_PAGE;
    }

    private boolean insert(final Actor actor, final long slot, final long index, final long pfn) {
        pagesLock.lock(actor);
        final boolean free = index < size && entries.loadAcquire(slot) == NO_PAGE;
        if (free) {
            entries.storeRelease(slot, pfn); // ORDER(page-cache) release
        }
        pagesLock.unlock(actor);
        return free;
    }

    @Override
    public String toString() {
        return "file" + id + " " + kind;
    }
}
