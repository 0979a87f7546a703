package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * MADV_COLD and MADV_PAGEOUT: madvise_cold_or_pageout_pte_range, mm/madvise.c (6.12). Pages of this process alone are
 * marked as unused, so that reclaim takes them first, or are reclaimed at once. Exclusive entries are passed over.
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
        table.lock(task, firstSlot);
        for (long page = first, slot = firstSlot; page < end; page++, slot += Long.BYTES) {
            long pte = table.load(slot);
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
            next = slot < 0 ? radix.leafEnd(page, endPage) : page + 1;
            // A hint without lock; reclaim looks at the frame again once it has it. Huge pages are not reclaimed.
            final long pte =
                    slot < 0 ? space.encoding().empty() : space.pageTable().load(slot);
            if (isOurs(space, pte)) {
                Reclaimer.reclaim(task, space.platform(), space.encoding().frameNumber(pte));
            }
        }
        return Errno.OK;
    }

    private static boolean isOurs(final AddressSpace space, final long pte) {
        final PteEncoding encoding = space.encoding();
        return encoding.isPresent(pte)
                && !encoding.isSpecial(pte)
                && space.platform().frames().mapCount(encoding.frameNumber(pte)) == 1;
    }
}
