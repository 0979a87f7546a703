package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.SwapEntry;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.FaultResult;
import mmutex.mm.SwapCache;

/**
 * A page that was swapped out comes back: do_swap_page for a real swap entry, mm/memory.c (6.12); semantics 3.2. Nobody is
 * notified: nothing was mapped.
 *
 * <p>A slot to which this entry alone leads is free afterwards. A page that other processes share stays in the swap cache,
 * where they find it.
 */
final class SwapIn {
    private SwapIn() {}

    static int handle(final FaultContext fault) {
        final SwapCache swap = fault.platform.swapCache();
        final long slot = SwapEntry.offset(fault.encoding.toSwapEntry(fault.originalPte));
        final int prepared = AnonPreparation.prepare(fault);
        if (prepared != FaultResult.DONE) {
            return prepared;
        }
        // 1. The slot is kept: were it freed and used for the page again, the entry would look as it did.
        if (!swap.slots().tryGet(slot)) {
            return FaultResult.DONE; // the entry has changed
        }
        // 2. The frame that a relative has brought in, or a new one with the slot's contents.
        final FrameAllocator allocator = fault.platform.allocator();
        final long cached = swap.find(fault.task, slot);
        final long pfn = cached == FrameAllocator.NONE ? allocator.allocate() : cached;
        if (pfn == FrameAllocator.NONE) {
            swap.put(fault.task, slot);
            return FaultResult.OOM;
        }
        if (cached == FrameAllocator.NONE) {
            swap.load(fault.task, slot, pfn);
        }
        // 3. Still the same entry? And if others lead to the slot, is this the frame they will find?
        fault.table.lock(fault.task, fault.slot);
        final boolean stale = fault.table.load(fault.slot) != fault.originalPte;
        if (stale || cached == FrameAllocator.NONE && isShared(fault, swap, slot) && !swap.add(fault.task, slot, pfn)) {
            fault.table.unlock(fault.task, fault.slot);
            allocator.put(pfn);
            swap.put(fault.task, slot);
            return FaultResult.DONE; // look again
        }
        return map(fault, swap, slot, pfn);
    }

    /** Whether somebody but this entry and this fault refers to the slot. */
    private static boolean isShared(final FaultContext fault, final SwapCache swap, final long slot) {
        return !fault.encoding.isSwapExclusive(fault.originalPte)
                && swap.slots().count(slot) > 2;
    }

    /** Leaf-table lock held, which is released. */
    private static int map(final FaultContext fault, final SwapCache swap, final long slot, final long pfn) {
        final FrameTable frames = fault.platform.frames();
        // 4. The entry no longer needs the slot. Whoever writes, and is the last one, owns the page.
        swap.put(fault.task, slot);
        swap.put(fault.task, slot);
        final boolean own =
                fault.encoding.isSwapExclusive(fault.originalPte) || fault.isWrite() && frames.refCount(pfn) == 1;
        fault.space.anonPages().add(1);
        fault.space.swapEntries().add(-1);
        if (own) {
            fault.space.reverseMap().addNewAnon(pfn, fault.vma, fault.addr);
        } else {
            fault.space.reverseMap().addSharedAnon(pfn, fault.vma, fault.addr);
        }
        frames.markDirty(pfn); // the slot may go: then this is the only copy
        final long pte = entry(fault, pfn, own);
        fault.table.store(fault.slot, pte);
        // 5. A write that the entry does not yet permit goes on as such, in this same fault.
        if (fault.isWrite() && !fault.encoding.isWritable(pte)) {
            fault.originalPte = pte;
            return WriteProtectFault.handle(fault);
        }
        fault.table.unlock(fault.task, fault.slot);
        return FaultResult.DONE;
    }

    /** Writable at once if the page is ours and no write has to be noticed; before 6.10 only if this is a write. */
    private static long entry(final FaultContext fault, final long pfn, final boolean own) {
        final PteEncoding encoding = fault.encoding;
        final long entry = fault.originalPte;
        long pte = encoding.mkYoung(encoding.present(pfn, fault.vma.protection()));
        if (encoding.isSwapSoftDirty(entry)) {
            pte = encoding.mkSoftDirty(pte);
        }
        if (encoding.isSwapUffdWp(entry)) {
            return encoding.mkUffdWp(pte);
        }
        final boolean tracked = !fault.vma.has(VmFlags.SOFTDIRTY) && !encoding.isSoftDirty(pte);
        final boolean granted = fault.isWrite() || fault.platform.profile().swapInGrantsWrite() && !tracked;
        if (!own || !fault.vma.has(VmFlags.WRITE) || !granted) {
            return pte;
        }
        return encoding.mkWrite(fault.isWrite() ? encoding.mkDirty(pte) : pte);
    }
}
