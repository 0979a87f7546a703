package mmutex.mm;

import java.util.ArrayList;
import java.util.List;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;

/**
 * Memory set apart for hugetlb mappings: pages of as many frames as a leaf table has entries (2 MiB on x86-64), mm/hugetlb.c
 * (6.12). Nothing else ever uses these frames; the pool holds a reference on each, an entry that maps one holds another.
 *
 * <p>A mapping reserves its pages when it is made, so its faults find one. A page is free when nothing maps it and nobody
 * else has a reference on any of its frames.
 *
 * <p>Threads: any, under a spin lock.
 */
public final class HugePagePool {
    /** Instead of a page: none is left. */
    public static final int NONE = -1;

    private final Platform platform;
    private final int framesPerPage;
    private final SpinLock lock = new SpinLock(LockClass.LF);
    private final List<Page> pages = new ArrayList<>();
    private int mappedPages;
    private int reserved;

    /** A huge page: its frames, which need not be neighbours, since each has an entry of its own. */
    private static final class Page {
        private final long[] frames;
        private boolean mapped;

        private Page(final int frameCount) {
            frames = new long[frameCount];
        }
    }

    HugePagePool(final Platform platform) {
        this.platform = platform;
        this.framesPerPage = 1 << platform.encoding().indexBits();
    }

    /** Frames in a huge page. */
    public int framesPerPage() {
        return framesPerPage;
    }

    /** Bytes in a huge page. */
    public long pageSize() {
        return platform.pageSize() * framesPerPage;
    }

    /** Whether an address is a multiple of a huge page. */
    public boolean isAligned(final long addr) {
        return (addr & pageSize() - 1) == 0;
    }

    /** Sets pages apart (nr_hugepages grows); false, and nothing is, if there are not enough frames. */
    public boolean grow(final Actor actor, final int count) {
        final List<Page> fresh = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            final Page page = new Page(framesPerPage);
            fresh.add(page);
            for (int k = 0; k < framesPerPage; k++) {
                page.frames[k] = platform.allocator().allocate();
                if (page.frames[k] == FrameAllocator.NONE) {
                    fresh.forEach(this::give);
                    return false;
                }
            }
        }
        lock.lock(actor);
        for (final Page page : fresh) {
            for (final long pfn : page.frames) {
                platform.frames().setPrivateWord(pfn, pages.size());
            }
            pages.add(page);
        }
        lock.unlock(actor);
        return true;
    }

    private void give(final Page page) {
        for (final long pfn : page.frames) {
            if (pfn != FrameAllocator.NONE) {
                platform.allocator().put(pfn);
            }
        }
    }

    /** Pages in the pool, mapped or not. */
    public int size(final Actor actor) {
        lock.lock(actor);
        final int size = pages.size();
        lock.unlock(actor);
        return size;
    }

    /** Pages that are not mapped. */
    public int free(final Actor actor) {
        lock.lock(actor);
        final int free = pages.size() - mappedPages;
        lock.unlock(actor);
        return free;
    }

    /** hugetlb_reserve_pages: promises pages to a mapping; false if fewer are free and not promised yet. */
    public boolean reserve(final Actor actor, final int count) {
        lock.lock(actor);
        final boolean enough = pages.size() - mappedPages - reserved >= count;
        if (enough) {
            reserved += count;
        }
        lock.unlock(actor);
        return enough;
    }

    /** Takes a promise back. */
    public void unreserve(final Actor actor, final int count) {
        lock.lock(actor);
        reserved -= count;
        lock.unlock(actor);
    }

    /**
     * alloc_hugetlb_folio: takes a free page.
     *
     * @param promised whether one was reserved, and this is it
     * @return its number, or {@link #NONE}
     */
    public int take(final Actor actor, final boolean promised) {
        lock.lock(actor);
        int taken = NONE;
        if (promised || pages.size() - mappedPages > reserved) {
            for (int i = 0; i < pages.size() && taken == NONE; i++) {
                if (isFree(pages.get(i))) {
                    taken = i;
                    pages.get(i).mapped = true;
                    mappedPages++;
                    reserved -= promised ? 1 : 0;
                }
            }
        }
        lock.unlock(actor);
        return taken;
    }

    private boolean isFree(final Page page) {
        if (page.mapped) {
            return false;
        }
        for (final long pfn : page.frames) {
            if (platform.frames().refCount(pfn) != 1) {
                return false;
            }
        }
        return true;
    }

    /** free_huge_folio: nothing maps the page any more. */
    public void release(final Actor actor, final int number) {
        lock.lock(actor);
        final Page page = pages.get(number);
        for (final long pfn : page.frames) {
            platform.frames().setMapping(pfn, 0, 0);
            platform.frames().clearBits(pfn, FrameTable.ANON | FrameTable.ANON_EXCLUSIVE | FrameTable.DIRTY);
        }
        page.mapped = false;
        mappedPages--;
        lock.unlock(actor);
    }

    /** The frames of a page, in order; not to be changed. */
    public long[] frames(final Actor actor, final int number) {
        lock.lock(actor);
        final long[] frames = pages.get(number).frames;
        lock.unlock(actor);
        return frames;
    }

    /** The page that a frame of the pool belongs to. */
    public int pageOf(final long pfn) {
        return (int) platform.frames().privateWord(pfn);
    }
}
