package mmutex.fault;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.FaultResult;
import mmutex.notify.NotifierEvent;

/**
 * A write to a read-only huge entry: do_huge_pmd_wp_page, mm/huge_memory.c (6.12). The page is reused if this process
 * alone has it; else the entry is split and the one page that is written copied.
 */
final class HugeWriteFault {
    private HugeWriteFault() {}

    static int handle(final FaultContext fault, final long slot, final long original) {
        if (fault.platform.hugeZero().is(HugePmd.frameNumber(original))) {
            return fault.isWrite() && fault.platform.profile().hugeZeroWriteAllocates()
                    ? replaceZero(fault, slot, original)
                    : HugeFault.fallBack(fault);
        }
        fault.table.lock(fault.task, slot);
        if (!isStill(fault.table.loadUpper(slot), original)) {
            fault.table.unlock(fault.task, slot);
            return FaultResult.DONE;
        }
        final boolean reusable = mayReuse(fault, HugePmd.frameNumber(original));
        if (reusable && fault.isWrite()) {
            reuse(fault, slot);
        }
        fault.table.unlock(fault.task, slot);
        return reusable ? FaultResult.DONE : HugeFault.fallBack(fault);
    }

    /**
     * AnonExclusive, or no reference but this entry's. The kernel waits for a page lock that it can't have at once; here
     * that counts as a reference, since a locker has one.
     */
    private static boolean mayReuse(final FaultContext fault, final long folio) {
        final FrameTable frames = fault.platform.frames();
        final boolean tracksOwner = fault.platform.profile().hasAnonExclusive();
        if (tracksOwner && frames.has(folio, FrameTable.ANON_EXCLUSIVE)) {
            return true;
        }
        if (frames.refCount(folio) != 1 || !fault.platform.pageLock().tryLock(fault.task, folio)) {
            return false;
        }
        final boolean alone = frames.refCount(folio) == 1 && (tracksOwner || frames.folioMapCount(folio) == 1);
        if (alone) {
            fault.space.reverseMap().moveTo(folio, fault.vma);
            if (tracksOwner) {
                frames.setBits(folio, FrameTable.ANON_EXCLUSIVE);
            }
        }
        fault.platform.pageLock().unlock(fault.task, folio);
        return alone;
    }

    /**
     * maybe_pmd_mkwrite: a forced write leaves the entry of a read-only mapping as it is. The entry is valid, so hardware may
     * set bits: compare-and-set until none came between.
     */
    private static void reuse(final FaultContext fault, final long slot) {
        long pmd;
        long reused;
        do {
            pmd = fault.table.loadUpper(slot);
            reused = HugePmd.mkDirty(HugePmd.mkYoung(pmd));
            reused = fault.vma.has(VmFlags.WRITE) ? HugePmd.mkWrite(reused) : reused;
        } while (!fault.table.compareAndSetUpper(slot, pmd, reused));
    }

    /** do_huge_zero_wp_pmd (6.13 and later): a huge page of one's own in the place of the zeroes. */
    private static int replaceZero(final FaultContext fault, final long slot, final long original) {
        final FrameAllocator allocator = fault.platform.allocator();
        final long fresh = allocator.allocateCompoundZeroed();
        if (fresh == FrameAllocator.NONE) {
            return HugeFault.fallBack(fault);
        }
        final long start = fault.addr & -fault.table.hugeSize();
        fault.range.init(NotifierEvent.CLEAR, start, start + fault.table.hugeSize());
        fault.space.notifiers().start(fault.task, fault.range);
        fault.table.lock(fault.task, slot);
        final boolean reaped = fault.space.isUnstable(); // check_stable_address_space
        final boolean same = !reaped && isStill(fault.table.loadUpper(slot), original);
        if (same) {
            // Cleared and flushed before the new entry is stored. Software must not find nothing there meanwhile, or it
            // would publish a table: the old entry stays, refused by hardware.
            long pmd = fault.table.loadUpper(slot);
            while (!fault.table.compareAndSetUpper(slot, pmd, HugePmd.invalidate(pmd))) {
                pmd = fault.table.loadUpper(slot);
            }
            fault.space.windows().flush(fault.task);
            fault.space.reverseMap().addNewAnonEntire(fresh, fault.vma, start);
            fault.space.anonPages().add(fault.platform.frames().compoundFrames());
            final PteEncoding encoding = fault.encoding;
            final long pte = encoding.mkDirty(encoding.mkYoung(encoding.present(fresh, fault.vma.protection())));
            fault.table.compareAndSetUpper(
                    slot, HugePmd.invalidate(pmd), HugePmd.of(encoding, fault.maybeWritable(pte)));
        }
        fault.table.unlock(fault.task, slot);
        fault.space.notifiers().end(fault.task, fault.range);
        if (!same) {
            allocator.put(fresh);
        }
        return reaped ? FaultResult.SIGBUS : FaultResult.DONE;
    }

    /** pmd_same, but for the young bit that a reader may have set meanwhile. */
    private static boolean isStill(final long pmd, final long original) {
        return HugePmd.mkYoung(pmd) == HugePmd.mkYoung(original);
    }
}
