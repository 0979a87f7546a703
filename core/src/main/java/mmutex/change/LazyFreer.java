package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * MADV_FREE: madvise_free_single_vma, mm/madvise.c (6.12), semantics 3.15. Pages of this process alone become clean, so
 * that reclaim may drop them instead of writing them out; whoever writes to one before that keeps it. Exclusive entries
 * are left alone, but the event makes devices drop their mappings: orphans. A large folio of which only a part is freed is
 * split, if it can be.
 */
final class LazyFreer {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private LazyFreer() {}

    /** Frees a part of an anonymous VMA, some time; mmap lock held shared. */
    static Errno free(final Task task, final Vma vma, final long start, final long end) {
        final AddressSpace space = vma.space();
        final NotifierRange range = RANGE.of(task).init(NotifierEvent.CLEAR, start, end);
        space.notifiers().start(task, range);
        final RadixTable radix = space.pageTable().radix();
        final long endPage = end >>> space.pageShift();
        boolean flush = false;
        long page = radix.nextPopulated(start >>> space.pageShift(), endPage);
        while (page < endPage) {
            final long tableEnd = radix.leafEnd(page, endPage);
            final boolean whole = HugePmds.splitUnlessWhole(task, space, page, tableEnd);
            flush |= whole ? HugePmds.lazyFree(task, space, page) : freeTable(task, space, page, tableEnd);
            page = radix.nextPopulated(tableEnd, endPage);
        }
        if (flush) {
            space.windows().flush(task); // a cached translation that is writable and dirty would not set dirty again
        }
        space.notifiers().end(task, range);
        return Errno.OK;
    }

    /** madvise_free_pte_range; returns whether a shoot-down is due. */
    private static boolean freeTable(final Task task, final AddressSpace space, final long first, final long end) {
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long firstSlot = table.radix().slot(first);
        boolean flush = false;
        if (firstSlot < 0) {
            return false; // a huge entry, that somebody else has cleared meanwhile
        }
        table.lock(task, firstSlot);
        for (long page = first, slot = firstSlot; page < end; page++, slot += Long.BYTES) {
            long pte = table.load(slot);
            if (LargeRuns.isLarge(space, pte)) {
                if (LargeRuns.isWhole(space, slot, page, end)) {
                    flush |= freeWhole(task, space, slot, encoding.frameNumber(pte));
                    final int rest = space.platform().frames().compoundFrames() - 1;
                    page += rest;
                    slot += (long) rest * Long.BYTES;
                    continue;
                }
                if (!FolioSplitter.splitAt(task, space.platform(), table, slot, encoding.frameNumber(pte))) {
                    continue;
                }
                pte = table.load(slot); // the lock was dropped: whatever it is now
            }
            if (encoding.isPresent(pte) && !encoding.isSpecial(pte)) {
                flush |= freePresent(task, space, table, slot, pte);
            } else if (encoding.kind(pte) == PteKind.SWAP) {
                // Cheaper than to bring it back and find it unchanged: its contents go now.
                table.store(slot, encoding.empty());
                SwapEntries.free(task, space, pte);
            }
        }
        table.unlock(task, firstSlot);
        return flush;
    }

    private static boolean freePresent(
            final Task task, final AddressSpace space, final PageTable table, final long slot, final long first) {
        final PteEncoding encoding = space.encoding();
        final Platform platform = space.platform();
        final FrameTable frames = platform.frames();
        final long pfn = encoding.frameNumber(first);
        // Shared with others: its dirtiness is not ours to take away.
        if (frames.mapCount(pfn) != 1) {
            return false;
        }
        if (frames.isLarge(pfn)) {
            return false; // collapsed, and split again, while the lock was dropped
        }
        if (frames.has(pfn, FrameTable.DIRTY)) {
            // Under the leaf-table lock only by trylock.
            if (!platform.pageLock().tryLock(task, pfn)) {
                return false;
            }
            final boolean alone = frames.mapCount(pfn) == 1;
            if (alone) {
                frames.clearBits(pfn, FrameTable.DIRTY);
            }
            platform.pageLock().unlock(task, pfn);
            if (!alone) {
                return false;
            }
        }
        frames.setBits(pfn, FrameTable.LAZY_FREE);
        return clean(space, slot, first);
    }

    /** All pages of a large folio, by entries in a row, and nobody else's. */
    private static boolean freeWhole(final Task task, final AddressSpace space, final long first, final long folio) {
        final Platform platform = space.platform();
        final FrameTable frames = platform.frames();
        final PageTable table = space.pageTable();
        if (!platform.pageLock().tryLock(task, folio)) {
            return false;
        }
        final boolean alone = frames.folioMapCount(folio) == frames.compoundFrames();
        if (alone) {
            frames.clearBits(folio, FrameTable.DIRTY);
            frames.setBits(folio, FrameTable.LAZY_FREE);
        }
        platform.pageLock().unlock(task, folio);
        boolean flush = false;
        for (int i = 0; alone && i < frames.compoundFrames(); i++) {
            final long slot = first + (long) i * Long.BYTES;
            flush |= clean(space, slot, table.load(slot));
        }
        return flush;
    }

    /** Returns whether a shoot-down is due. */
    private static boolean clean(final AddressSpace space, final long slot, final long first) {
        final PteEncoding encoding = space.encoding();
        final PageTable table = space.pageTable();
        long pte = first;
        while (encoding.isYoung(pte) || encoding.isDirty(pte)) {
            if (table.compareAndSet(slot, pte, encoding.mkOld(encoding.mkClean(pte)))) {
                return true;
            }
            pte = table.load(slot); // hardware has set a bit meanwhile
        }
        return false;
    }
}
