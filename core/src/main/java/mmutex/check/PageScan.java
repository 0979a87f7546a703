package mmutex.check;

import mmutex.layout.HugePmd;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * Visits every non-empty entry of an address space, its table's lock held, VMA by VMA. A huge entry is visited either as
 * what it is, or page by page as the leaf entries that would say the same.
 */
final class PageScan {
    /** Told of one entry. */
    @FunctionalInterface
    interface Visitor {
        void entry(Vma vma, long addr, long pte);
    }

    private PageScan() {}

    /** Page by page. The caller holds the mmap lock, or nobody is running. */
    static void visit(final Task task, final AddressSpace space, final Visitor visitor) {
        visit(task, space, visitor, (vma, addr, pmd) -> {
            for (int i = 0; i < space.platform().frames().compoundFrames(); i++) {
                visitor.entry(
                        vma, addr + i * space.pageSize(), HugePmd.leaf(space.encoding(), pmd, i, vma.protection()));
            }
        });
    }

    /** As above, but the second visitor is told of huge entries, once each and as they are. */
    static void visit(final Task task, final AddressSpace space, final Visitor visitor, final Visitor huge) {
        for (final Vma vma : space.vmas().snapshot()) {
            visit(task, vma, visitor, huge);
        }
    }

    private static void visit(final Task task, final Vma vma, final Visitor visitor, final Visitor huge) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final RadixTable radix = table.radix();
        final long end = vma.end() >>> space.pageShift();
        long page = radix.nextPopulated(vma.start() >>> space.pageShift(), end);
        while (page < end) {
            final long tableEnd = radix.leafEnd(page, end);
            final long firstSlot = radix.slot(page);
            if (firstSlot < 0) {
                visitHuge(task, vma, page << space.pageShift(), firstSlot, huge);
                page = radix.nextPopulated(tableEnd, end);
                continue;
            }
            table.lock(task, firstSlot);
            for (long slot = firstSlot; page < tableEnd; page++, slot += Long.BYTES) {
                final long pte = table.load(slot);
                if (!space.encoding().isNone(pte)) {
                    visitor.entry(vma, page << space.pageShift(), pte);
                }
            }
            table.unlock(task, firstSlot);
            page = radix.nextPopulated(tableEnd, end);
        }
    }

    /** Nothing, if the entry has gone or been split meanwhile: then the next look sees what is there. */
    private static void visitHuge(
            final Task task, final Vma vma, final long addr, final long found, final Visitor huge) {
        final PageTable table = vma.space().pageTable();
        if (!RadixTable.isHuge(found)) {
            return;
        }
        final long slot = RadixTable.hugeSlot(found);
        table.lock(task, slot);
        final long pmd = table.loadUpper(slot);
        if (HugePmd.isHuge(pmd)) {
            huge.entry(vma, addr, pmd);
        }
        table.unlock(task, slot);
    }

    static String at(final AddressSpace space, final long addr) {
        return space + " 0x" + Long.toHexString(addr);
    }
}
