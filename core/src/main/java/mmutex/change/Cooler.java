package mmutex.change;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * MADV_COLD and MADV_PAGEOUT: madvise_cold_or_pageout_pte_range, mm/madvise.c (6.12). Pages of this process alone are
 * marked as unused, so that reclaim takes them first, or are reclaimed at once. Exclusive entries are passed over. A large
 * folio of which only a part is meant is split, if it can be; else it is left alone.
 */
final class Cooler {
    private Cooler() {}

    /** Marks a part of a VMA; mmap lock held shared. EINVAL for memory that reclaim may not touch. */
    static Errno cool(final Task task, final Vma vma, final long start, final long end) {
        if ((vma.flags() & (VmFlags.LOCKED | VmFlags.PFNMAP | VmFlags.HUGETLB)) != 0) {
            return Errno.EINVAL;
        }
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final long endPage = end >>> space.pageShift();
        long page = radix.nextPopulated(start >>> space.pageShift(), endPage);
        while (page < endPage) {
            final long tableEnd = radix.leafEnd(page, endPage);
            if (!HugePmds.splitUnlessWhole(task, space, page, tableEnd) || !HugePmds.cool(task, space, page)) {
                coolTable(task, space, page, tableEnd);
            }
            page = radix.nextPopulated(tableEnd, endPage);
        }
        return Errno.OK;
    }

    private static void coolTable(final Task task, final AddressSpace space, final long first, final long end) {
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long firstSlot = table.radix().slot(first);
        if (firstSlot < 0) {
            return; // a huge entry, that somebody else has cleared meanwhile
        }
        long wholeEnd = 0;
        table.lock(task, firstSlot);
        for (long page = first, slot = firstSlot; page < end; page++, slot += Long.BYTES) {
            long pte = table.load(slot);
            if (page >= wholeEnd && LargeRuns.isLarge(space, pte)) {
                if (LargeRuns.isWhole(space, slot, page, end)) {
                    wholeEnd = page + space.platform().frames().compoundFrames();
                } else if (!FolioSplitter.splitAt(task, space.platform(), table, slot, encoding.frameNumber(pte))) {
                    continue;
                }
                pte = table.load(slot); // the lock was dropped: whatever it is now
            }
            final boolean ours = isOurs(space, pte);
            // No shoot-down: a translation that stays cached only makes the page look unused for longer.
            while (ours && encoding.isYoung(pte) && !table.compareAndSet(slot, pte, encoding.mkOld(pte))) {
                pte = table.load(slot); // hardware has set a bit meanwhile
            }
        }
        table.unlock(task, firstSlot);
    }

    /** Reclaims what it can of a part of a VMA; mmap lock held shared. EINVAL for memory that reclaim may not touch. */
    static Errno pageOut(final Task task, final Vma vma, final long start, final long end) {
        final Errno refused = cool(task, vma, start, end);
        if (refused != Errno.OK) {
            return refused;
        }
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final long endPage = end >>> space.pageShift();
        long next;
        for (long page = radix.nextPopulated(start >>> space.pageShift(), endPage);
                page < endPage;
                page = radix.nextPopulated(next, endPage)) {
            final long slot = radix.slot(page);
            if (slot < 0) {
                final long tableEnd = radix.leafEnd(page, endPage);
                // Split instead of going whole: its pages are looked at one by one.
                final boolean split = pageOutHuge(task, space, slot) && radix.slot(page) >= 0;
                next = split ? page : tableEnd;
                continue;
            }
            next = page + 1;
            // A hint without lock; reclaim looks at the frame again once it has it.
            final long pte = space.pageTable().load(slot);
            final boolean part = LargeRuns.isLarge(space, pte)
                    && !LargeRuns.isWhole(space, slot, page, radix.leafEnd(page, endPage));
            if (!part && isOurs(space, pte)) {
                Reclaimer.reclaim(task, space.platform(), space.encoding().frameNumber(pte));
            }
        }
        return Errno.OK;
    }

    /** Reclaims what a huge entry maps, if it is there and mapped by nothing else; returns whether it was. */
    private static boolean pageOutHuge(final Task task, final AddressSpace space, final long slot) {
        final long pmd = space.pageTable().loadHuge(slot);
        final long folio = HugePmd.frameNumber(pmd);
        final Platform platform = space.platform();
        if (pmd == 0 || platform.hugeZero().is(folio) || platform.frames().folioMapCount(folio) != 1) {
            return false;
        }
        Reclaimer.reclaim(task, platform, folio);
        return true;
    }

    private static boolean isOurs(final AddressSpace space, final long pte) {
        final PteEncoding encoding = space.encoding();
        return encoding.isPresent(pte)
                && !encoding.isSpecial(pte)
                && space.platform().frames().mapCount(encoding.frameNumber(pte)) == 1;
    }
}
