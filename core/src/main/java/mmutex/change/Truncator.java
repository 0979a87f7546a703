package mmutex.change;

import java.util.List;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.FileMapping;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * ftruncate: shmem_setattr and shmem_truncate_range, mm/shmem.c; unmap_mapping_range, mm/memory.c (6.12); event E8.
 *
 * <p>Why it goes over the mappings twice: a fault that found its page before the end was moved may map it, or a private
 * copy of it, until the page has left the cache. The pages themselves can't be missed: a fault keeps its page locked until
 * the entry is stored, and a page is removed under its lock, after it has been unmapped.
 *
 * <p>Threads: any, holding no lock.
 */
public final class Truncator {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private Truncator() {}

    /**
     * Moves the end of a file. What lay behind it is gone, private copies included; behind a new end that is higher there
     * are zeros.
     *
     * @param pages new size
     * @return OK; EINVAL if the file has no pages of its own or the size is negative or too large
     */
    public static Errno truncate(final Task task, final FileMapping file, final long pages) {
        if (file.kind() != FileMapping.Kind.SHMEM || pages < 0 || pages > file.sizeLimit()) {
            return Errno.EINVAL;
        }
        file.inodeLock().writeLock(task);
        final long before = file.size();
        // 1. No fault that begins now finds anything there, and nothing is added to the cache.
        file.resize(task, pages);
        if (pages < before) {
            // 2. All mappings.
            unmap(task, file, pages, file.sizeLimit());
            // 3. The pages.
            removePages(task, file, pages);
            // 4. Once more, for private copies that were made meanwhile.
            unmap(task, file, pages, file.sizeLimit());
        }
        file.inodeLock().writeUnlock(task);
        return Errno.OK;
    }

    /** unmap_mapping_pages with even_cows: a span per VMA, under the file's lock alone. */
    private static void unmap(final Task task, final FileMapping file, final long first, final long end) {
        file.lock().readLock(task);
        final List<Vma> vmas = file.vmas();
        for (int i = 0; i < vmas.size(); i++) {
            final Vma vma = vmas.get(i);
            final long vmaEnd = vma.linearIndex(vma.end());
            if (vma.pageOffset() < end && vmaEnd > first) {
                final long from = vma.address(Math.max(first, vma.pageOffset()));
                final long to = vma.address(Math.min(end, vmaEnd));
                final NotifierRange range = RANGE.of(task).init(NotifierEvent.CLEAR, from, to);
                vma.space().notifiers().start(task, range);
                Zapper.zap(task, vma, from, to);
                vma.space().notifiers().end(task, range);
            }
        }
        file.lock().readUnlock(task);
    }

    /** truncate_inode_pages_range: waits for each page's lock. */
    private static void removePages(final Task task, final FileMapping file, final long first) {
        final FrameTable frames = file.platform().frames();
        final long limit = file.sizeLimit();
        for (long index = file.nextCached(first, limit); index < limit; index = file.nextCached(index + 1, limit)) {
            final long pfn = file.lockCached(task, index);
            if (pfn == FrameAllocator.NONE) {
                continue;
            }
            if (isMapped(frames, pfn)) {
                unmap(task, file, index, index + 1); // by a fault that came between steps 1 and 2
            }
            file.remove(task, index, pfn);
            file.unlockPage(task, pfn);
        }
    }

    /** folio_mapped; exclusive entries do not always count as mappings, but each has a reference, like the cache and us. */
    private static boolean isMapped(final FrameTable frames, final long pfn) {
        return frames.mapCount(pfn) != 0 || frames.refCount(pfn) > 2;
    }
}
