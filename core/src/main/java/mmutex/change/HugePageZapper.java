package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.mm.AddressSpace;
import mmutex.mm.HugePagePool;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/** Unmaps whole hugetlb pages: __unmap_hugepage_range, mm/hugetlb.c (6.12). Callers and locks as for {@link Zapper}. */
final class HugePageZapper {
    private HugePageZapper() {}

    /** Zaps [start, end), which the callers have checked to be aligned to huge pages. */
    static void zap(final Task task, final Vma vma, final long start, final long end) {
        final long step = vma.space().platform().hugePages().pageSize();
        for (long addr = start; addr < end; addr += step) {
            zapOne(task, vma.space(), addr);
        }
    }

    private static void zapOne(final Task task, final AddressSpace space, final long addr) {
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final HugePagePool pool = space.platform().hugePages();
        final long slot = table.slot(addr);
        if (slot == PageTable.NO_SLOT) {
            return;
        }
        table.lock(task, slot);
        final long head = table.load(slot);
        final boolean mapped = !encoding.isNone(head);
        for (long i = 0; mapped && i < pool.framesPerPage(); i++) {
            table.getAndClear(slot + i * Long.BYTES);
        }
        table.unlock(task, slot);
        if (mapped) {
            space.windows().flush(task);
            space.reverseMap().removeHuge(task, pool.pageOf(encoding.frameNumber(head)));
        }
    }
}
