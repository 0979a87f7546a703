package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.memory.FrameTable;
import mmutex.mm.FaultResult;
import mmutex.mm.FileMapping;
import mmutex.mm.HugePagePool;
import mmutex.mm.PageTable;
import mmutex.mm.ReverseMap;
import mmutex.notify.NotifierEvent;

/**
 * A fault in a private hugetlb mapping: hugetlb_fault, hugetlb_no_page, hugetlb_wp; mm/hugetlb.c (6.12).
 *
 * <p>A huge page is mapped by all entries of one leaf table at once, under that table's lock, and they stay alike but for
 * young and dirty: to programs one mapping of 2 MiB. The first entry decides for all.
 */
final class HugePageFault {
    private HugePageFault() {}

    static int handle(final FaultContext fault) {
        // 1. Everything is about the huge page.
        fault.addr &= -fault.platform.hugePages().pageSize();
        fault.slot = fault.table.slotOrCreate(fault.addr);
        if (fault.slot == PageTable.NO_SLOT) {
            return FaultResult.OOM;
        }
        final int prepared = AnonPreparation.prepare(fault);
        if (prepared != FaultResult.DONE) {
            return prepared;
        }
        // 2. What is there, under the lock, which also keeps two faults from taking two pages (hugetlb_fault_mutex).
        fault.table.lock(fault.task, fault.slot);
        fault.originalPte = fault.table.load(fault.slot);
        if (fault.encoding.isNone(fault.originalPte)) {
            return populate(fault);
        }
        if (fault.has(FaultFlags.WRITE | FaultFlags.UNSHARE) && !fault.encoding.isWritable(fault.originalPte)) {
            return writeProtected(fault);
        }
        fault.table.unlock(fault.task, fault.slot);
        return FaultResult.DONE;
    }

    /** hugetlb_no_page: also for a read; a private page then stays read-only. Releases the lock. */
    private static int populate(final FaultContext fault) {
        final int page = take(fault);
        if (page != HugePagePool.NONE) {
            final long[] frames = fault.platform.hugePages().frames(fault.task, page);
            for (final long pfn : frames) {
                fault.platform.data().clear(pfn);
            }
            map(fault, frames);
        }
        fault.table.unlock(fault.task, fault.slot);
        return page == HugePagePool.NONE ? FaultResult.SIGBUS : FaultResult.DONE;
    }

    private static int take(final FaultContext fault) {
        final FileMapping file = fault.vma.file();
        return fault.platform.hugePages().take(fault.task, file.useReservation(fault.task, fault.space));
    }

    private static void map(final FaultContext fault, final long[] frames) {
        final PteEncoding encoding = fault.encoding;
        final ReverseMap reverseMap = fault.space.reverseMap();
        for (int i = 0; i < frames.length; i++) {
            long pte = encoding.mkYoung(encoding.present(frames[i], fault.vma.protection()));
            if (fault.isWrite()) {
                pte = fault.maybeWritable(encoding.mkDirty(pte));
            }
            fault.platform.frames().get(frames[i]);
            reverseMap.addNewAnon(frames[i], fault.vma, fault.addr + i * fault.space.pageSize());
            fault.table.store(fault.slot + (long) i * Long.BYTES, pte);
        }
    }

    /** hugetlb_wp: reuse the page if it is ours alone, else copy. Releases the lock. */
    private static int writeProtected(final FaultContext fault) {
        final FrameTable frames = fault.platform.frames();
        final long head = fault.encoding.frameNumber(fault.originalPte);
        final HugePagePool pool = fault.platform.hugePages();
        final int oldPage = pool.pageOf(head);
        final long[] old = pool.frames(fault.task, oldPage);
        if (frames.mapCount(head) == 1) {
            for (int i = 0; i < old.length; i++) {
                reuse(fault, old[i], fault.slot + (long) i * Long.BYTES);
            }
            fault.table.unlock(fault.task, fault.slot);
            return FaultResult.DONE;
        }
        // The copied page must not be given back meanwhile: one frame's reference keeps it all (HugePagePool).
        frames.get(head);
        fault.table.unlock(fault.task, fault.slot);
        final int result = copy(fault, oldPage, old);
        frames.putTestZero(head);
        return result;
    }

    private static void reuse(final FaultContext fault, final long pfn, final long slot) {
        if (fault.platform.profile().hasAnonExclusive()) {
            fault.platform.frames().setBits(pfn, FrameTable.ANON_EXCLUSIVE);
        }
        if (fault.has(FaultFlags.UNSHARE)) {
            return; // a pin of a page that is ours needs no more
        }
        final PteEncoding encoding = fault.encoding;
        long pte = fault.table.load(slot);
        while (!fault.table.compareAndSet(
                slot, pte, fault.maybeWritable(encoding.mkDirty(encoding.mkYoung(pte))))) { // hardware set a bit
            pte = fault.table.load(slot);
        }
    }

    private static int copy(final FaultContext fault, final int oldPage, final long[] old) {
        final HugePagePool pool = fault.platform.hugePages();
        final int page = take(fault);
        if (page == HugePagePool.NONE) {
            return FaultResult.SIGBUS;
        }
        final long[] fresh = pool.frames(fault.task, page);
        for (int i = 0; i < fresh.length; i++) {
            fault.platform.data().copyFrame(old[i], fresh[i]);
        }
        fault.range.init(NotifierEvent.CLEAR, fault.addr, fault.addr + pool.pageSize());
        fault.space.notifiers().start(fault.task, fault.range);
        fault.table.lock(fault.task, fault.slot);
        final boolean same =
                fault.encoding.mkYoung(fault.table.load(fault.slot)) == fault.encoding.mkYoung(fault.originalPte);
        if (same) {
            for (int i = 0; i < old.length; i++) {
                fault.table.getAndClear(fault.slot + (long) i * Long.BYTES);
            }
            fault.space.windows().flush(fault.task);
            map(fault, fresh);
        }
        fault.table.unlock(fault.task, fault.slot);
        if (same) {
            fault.space.reverseMap().removeHuge(fault.task, oldPage);
        } else {
            pool.release(fault.task, page);
        }
        fault.space.notifiers().end(fault.task, fault.range);
        return FaultResult.DONE;
    }
}
