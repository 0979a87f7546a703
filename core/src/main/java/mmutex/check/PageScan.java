package mmutex.check;

import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/** Visits every non-empty entry of an address space, leaf-table lock held, VMA by VMA. */
final class PageScan {
    /** Told of one entry. */
    @FunctionalInterface
    interface Visitor {
        void entry(Vma vma, long addr, long pte);
    }

    private PageScan() {}

    /** The caller holds the mmap lock, or nobody is running. */
    static void visit(final Task task, final AddressSpace space, final Visitor visitor) {
        for (final Vma vma : space.vmas().snapshot()) {
            visit(task, vma, visitor);
        }
    }

    private static void visit(final Task task, final Vma vma, final Visitor visitor) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final RadixTable radix = table.radix();
        final long end = vma.end() >>> space.pageShift();
        long page = radix.nextPopulated(vma.start() >>> space.pageShift(), end);
        while (page < end) {
            final long tableEnd = radix.leafEnd(page, end);
            final long firstSlot = radix.slot(page);
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

    static String at(final AddressSpace space, final long addr) {
        return space + " 0x" + Long.toHexString(addr);
    }
}
