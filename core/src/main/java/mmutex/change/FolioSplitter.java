package mmutex.change;

import mmutex.memory.FrameTable;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * Takes a large folio apart, so that each of its pages can be moved, freed or swapped out for itself: split_folio,
 * split_huge_page_to_list, mm/huge_memory.c (6.12).
 *
 * <p>That is possible only while all references are mappings, the caller's apart: what anybody else has a reference on
 * must stay what it is. Up to 6.14 an exclusive entry has a reference and is no mapping, so a folio with such a page can't
 * be split; from 6.15 on its entry goes like others, its device revoked, and the page comes back present.
 *
 * <pre>
 *   entry of a page         while split        afterwards
 *   none                    none               the page is freed
 *   present, exclusive      migration entry    as it was, of a small page; exclusive: read-only
 *   of zeroes (from 6.12)   migration entry    the zero page, unless its VMA is locked
 * </pre>
 *
 * <p>Others meanwhile: whoever touches a page waits for the folio's lock (migration entries); zaps clear the entries, and
 * forks copy them, as with any page that is being moved; a number of one of its pages that somebody has kept leads to
 * nothing while the folio is frozen, and to the page itself afterwards ({@link FrameTable#tryGet}).
 *
 * <p>Threads: any; the caller has locked the folio, holds a reference on it, and no page-table lock or lock of a family.
 */
final class FolioSplitter {
    private FolioSplitter() {}

    /**
     * Splits a large anonymous folio. Afterwards the caller's lock and reference are those of its first page.
     *
     * @return false (EAGAIN, EBUSY) if somebody else uses it, or nothing maps it; then it is mapped as before, but by
     *     single entries
     */
    static boolean split(final Task task, final Platform platform, final long folio) {
        final FrameTable frames = platform.frames();
        // 1. can_split_folio: not worth trying if others use it; nor without a mapping, as it is about to be freed.
        final long mappings = frames.folioMapCount(folio);
        if (mappings == 0 || frames.refCount(folio) != mappings + 1) {
            return false;
        }
        // 2. unmap_folio: huge entries become single ones, and those migration entries.
        MigrationEntries.installEverywhere(task, platform, folio);
        // 3. Nobody gets a reference from here on; if anybody has one, everything is put back.
        if (frames.folioMapCount(folio) != 0 || !frames.freeze(folio)) {
            MigrationEntries.remove(task, platform, folio, folio);
            return false;
        }
        // 4. The other pages are locked like the first, so that what waits for one goes on waiting. Nobody locks a page
        // that is not a folio, but for a stale number of long ago (R2).
        final long end = folio + frames.compoundFrames();
        final long locked = lockTails(task, platform, folio, end);
        if (locked != end) {
            unlock(task, platform, folio + 1, locked);
            frames.unfreeze(folio);
            MigrationEntries.remove(task, platform, folio, folio);
            return false;
        }
        // 5. __split_folio: from here on they are pages like any others, ours.
        platform.allocator().splitCompound(folio);
        // 6. remap_page.
        for (long pfn = folio; pfn < end; pfn++) {
            remap(task, platform, pfn);
        }
        // 7. All but the first are let go; what nothing maps is free.
        unlock(task, platform, folio + 1, end);
        for (long pfn = folio + 1; pfn < end; pfn++) {
            platform.allocator().put(pfn);
        }
        return true;
    }

    /** The same of a folio that the caller only has a reference on: its lock is taken by trylock, and given back. */
    static boolean trySplit(final Task task, final Platform platform, final long folio) {
        if (!platform.pageLock().tryLock(task, folio)) {
            return false;
        }
        final boolean done = split(task, platform, folio);
        platform.pageLock().unlock(task, folio);
        return done;
    }

    /**
     * Splits the folio of a present entry, if its page is mapped here only and the folio can be locked at once.
     *
     * @param slot of the entry; its table's lock is held, and dropped meanwhile
     * @return whether the entry's page is small now
     */
    static boolean splitAt(
            final Task task, final Platform platform, final PageTable table, final long slot, final long pfn) {
        final FrameTable frames = platform.frames();
        final long folio = frames.head(pfn);
        if (frames.mapCount(pfn) != 1 || !platform.pageLock().tryLock(task, folio)) {
            return false;
        }
        frames.get(folio);
        table.unlock(task, slot);
        final boolean done = split(task, platform, folio);
        platform.pageLock().unlock(task, folio);
        platform.allocator().put(folio);
        table.lock(task, slot);
        return done;
    }

    /** Returns the first page that could not be locked, or the end. */
    private static long lockTails(final Task task, final Platform platform, final long folio, final long end) {
        long pfn = folio + 1;
        while (pfn < end && platform.pageLock().tryLock(task, pfn)) {
            pfn++;
        }
        return pfn;
    }

    private static void unlock(final Task task, final Platform platform, final long first, final long end) {
        for (long pfn = first; pfn < end; pfn++) {
            platform.pageLock().unlock(task, pfn);
        }
    }

    /** Nobody can have written to the page since its entries went. */
    private static void remap(final Task task, final Platform platform, final long pfn) {
        if (platform.profile().splitMapsZeroes() && platform.data().isZero(pfn)) {
            MigrationEntries.removeUnused(task, platform, pfn);
        } else {
            MigrationEntries.remove(task, platform, pfn, pfn);
        }
    }
}
