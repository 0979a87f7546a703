package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;
import mmutex.memory.SwapSlots;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * Takes anonymous pages away that nobody needs at the moment: shrink_folio_list, mm/vmscan.c, and try_to_unmap, mm/rmap.c
 * (6.12); semantics 3.18. Pages that MADV_FREE left clean are dropped, others go to a swap slot.
 *
 * <p>Up to 6.14 an exclusive page counts as mapped nowhere, so no walk finds its entry: it stays (Q8). From 6.15 on its
 * entry is found, the device revoked, and the page goes like others.
 *
 * <p>Every entry is a migration entry first, on which faults wait for the page lock; only when nobody else holds the page
 * do they become swap entries, else mappings again. The kernel installs swap entries at once, since a page that has to
 * stay can be found in its swap cache.
 *
 * <p>A large folio goes whole if all of its pages are mapped and the swap area has a row of free slots (THP_SWAP), or if it
 * may be dropped; else it is split ({@link FolioSplitter}), which frees the pages that nobody maps, and its pages go one by
 * one.
 *
 * <p>Threads: any task that holds no lock, or the mmap lock shared.
 */
public final class Reclaimer {
    private Reclaimer() {}

    /**
     * Reclaims up to so many pages, looking at each frame once.
     *
     * @param first frame to begin with: a hand that goes round
     * @return the frame behind the last one that was looked at
     */
    public static long shrink(final Task task, final Platform platform, final long first, final int count) {
        final long limit = platform.allocator().limit();
        long pfn = first;
        int reclaimed = 0;
        for (long looked = 0; looked < limit && reclaimed < count; looked++) {
            pfn = pfn >= limit ? 0 : pfn;
            reclaimed += isWorthAnAttempt(platform, pfn) && reclaim(task, platform, pfn) ? 1 : 0;
            pfn++;
        }
        return pfn;
    }

    /** Without swap nothing is gained by taking a folio apart of which every page is mapped. */
    private static boolean isWorthAnAttempt(final Platform platform, final long pfn) {
        final boolean noSwap = platform.swap() == null || platform.swap().isClosed();
        return !(noSwap
                && platform.frames().has(pfn, FrameTable.COMPOUND_HEAD)
                && !isDroppable(platform, pfn)
                && isMappedWhole(platform.frames(), pfn));
    }

    /**
     * Reclaims one folio, if that is possible without waiting for anybody.
     *
     * @param pfn its first frame
     */
    public static boolean reclaim(final Task task, final Platform platform, final long pfn) {
        // 1. A reference and, by trylock, the page lock.
        if (platform.frames().isLarge(pfn)) {
            return MovablePages.isolateLarge(task, platform, pfn) && reclaimLarge(task, platform, pfn);
        }
        return MovablePages.isolate(task, platform, pfn) && reclaimIsolated(task, platform, pfn);
    }

    /** deferred_split_scan first, whose folios need not be reclaimable. */
    private static boolean reclaimLarge(final Task task, final Platform platform, final long folio) {
        final boolean whole = isMappedWhole(platform.frames(), folio);
        if (whole && reclaimIsolated(task, platform, folio)) {
            return true;
        }
        if (whole && !MovablePages.isolateLarge(task, platform, folio)) {
            return false;
        }
        if (whole && isLockedIntoMemory(task, platform, folio) || !FolioSplitter.split(task, platform, folio)) {
            MovablePages.putBack(task, platform, folio);
            return false;
        }
        if (platform.frames().folioMapCount(folio) == 0) { // the first page is one of those that are not mapped
            MovablePages.putBack(task, platform, folio);
            return true;
        }
        return reclaimIsolated(task, platform, folio);
    }

    private static boolean isMappedWhole(final FrameTable frames, final long folio) {
        for (long pfn = folio; pfn < folio + frames.compoundFrames(); pfn++) {
            if (frames.mapCount(pfn) == 0) {
                return false;
            }
        }
        return true;
    }

    /** Gives back the lock and the reference. */
    private static boolean reclaimIsolated(final Task task, final Platform platform, final long pfn) {
        final int frames = platform.frames().folioFrames(pfn);
        // 2. A place for its contents, unless they may be dropped; and nobody insists on having it in memory.
        final long slot = isDroppable(platform, pfn) || platform.swap() == null
                ? SwapSlots.NONE
                : platform.swapCache().allocate(task, frames);
        boolean reclaimed = false;
        if ((slot != SwapSlots.NONE || isDroppable(platform, pfn)) && !isLockedIntoMemory(task, platform, pfn)) {
            // 3. Unmapped everywhere: whoever touches it now waits for the page lock.
            MigrationEntries.installEverywhere(task, platform, pfn);
            // 4. Nobody else uses it? Then it goes; else it is mapped again.
            reclaimed = MovablePages.isUnused(platform.frames(), pfn) && replaceEntries(task, platform, pfn, slot);
            if (!reclaimed) {
                MigrationEntries.remove(task, platform, pfn, pfn);
            }
        }
        for (int i = 0; slot != SwapSlots.NONE && i < frames; i++) {
            platform.swapCache().put(task, slot + i); // ours; the entries have their own
        }
        // 5. With our reference the frame goes, if nothing refers to it any more.
        MovablePages.putBack(task, platform, pfn);
        return reclaimed;
    }

    /** Freed lazily, and not written to since. */
    private static boolean isDroppable(final Platform platform, final long pfn) {
        final long state = platform.frames().state(pfn);
        return (state & (FrameTable.LAZY_FREE | FrameTable.DIRTY)) == FrameTable.LAZY_FREE;
    }

    /** False if the page turns out to have been written to after all, and there is no slot for it. */
    private static boolean replaceEntries(final Task task, final Platform platform, final long pfn, final long slot) {
        if (slot != SwapSlots.NONE) {
            for (int i = 0; i < platform.frames().folioFrames(pfn); i++) {
                platform.swapCache().save(task, slot + i, pfn + i);
            }
            MigrationEntries.replaceBySwap(task, platform, pfn, slot);
            return true;
        }
        if (isDroppable(platform, pfn)) {
            MigrationEntries.drop(task, platform, pfn);
            return true;
        }
        // The kernel marks it swap-backed again.
        platform.frames().clearBits(pfn, FrameTable.LAZY_FREE);
        return false;
    }

    /** Whether a VMA that may map the page is locked; a race with mlock is harmless: mlock brings the page back. */
    private static boolean isLockedIntoMemory(final Task task, final Platform platform, final long pfn) {
        final AnonVma anonVma = platform.reverseMap().lockAnonVma(task, pfn);
        if (anonVma == null) {
            return true; // mapped nowhere: nothing to take away
        }
        boolean locked = false;
        final long index = platform.frames().index(pfn);
        final long last = index + platform.frames().folioFrames(pfn) - 1;
        for (final Vma vma : anonVma.vmas()) {
            locked |= vma.overlaps(index, last) && vma.has(VmFlags.LOCKED);
        }
        anonVma.lock().readUnlock(task);
        return locked;
    }

    /**
     * try_to_unuse, for swapoff: brings every swapped-out page of an address space back.
     *
     * @return OK; ENOMEM if frames ran out, with some pages back
     */
    public static Errno bringBack(final Task task, final AddressSpace space) {
        space.mmapLock().readLock(task);
        Errno result = Errno.OK;
        for (final Vma vma : space.vmas().snapshot()) {
            if (result == Errno.OK) {
                result = SwapScan.bringBack(task, vma);
            }
        }
        space.mmapLock().readUnlock(task);
        return result;
    }
}
