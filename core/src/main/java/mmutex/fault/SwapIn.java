package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.SwapEntry;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.SwapSlots;
import mmutex.mm.FaultResult;
import mmutex.sync.ActorLocal;

/**
 * A page that was swapped out comes back: do_swap_page for a real swap entry, mm/memory.c (6.12); semantics 3.2. Nobody is
 * notified: nothing was mapped.
 *
 * <p>Without a swap cache every entry gets a frame of its own, which is then this process's alone.
 */
final class SwapIn {
    private static final ActorLocal<byte[][]> BOUNCE = new ActorLocal<>(() -> new byte[1][]);

    private SwapIn() {}

    static int handle(final FaultContext fault) {
        final PteEncoding encoding = fault.encoding;
        final SwapSlots swap = fault.platform.swap();
        final long slot = SwapEntry.offset(encoding.toSwapEntry(fault.originalPte));
        // 1. A frame with the slot's contents. The slot is held meanwhile: else the page could come back, change, and
        // go to
        // the same slot again, and the entry would look as before while the copy is an old one.
        final int prepared = AnonPreparation.prepare(fault);
        if (prepared != FaultResult.DONE) {
            return prepared;
        }
        final FrameAllocator allocator = fault.platform.allocator();
        final long pfn = allocator.allocate();
        if (pfn == FrameAllocator.NONE) {
            return FaultResult.OOM;
        }
        if (!swap.tryGet(slot)) {
            allocator.put(pfn);
            return FaultResult.DONE; // the entry has changed
        }
        swap.load(slot, pfn, bounce(fault));
        // 2. Still the same entry? Then map the frame; the slot is no longer needed by this entry.
        fault.table.lock(fault.task, fault.slot);
        if (fault.table.load(fault.slot) != fault.originalPte) {
            fault.table.unlock(fault.task, fault.slot);
            swap.put(slot);
            allocator.put(pfn);
            return FaultResult.DONE;
        }
        fault.space.anonPages().add(1);
        fault.space.swapEntries().add(-1);
        fault.space.reverseMap().addNewAnon(pfn, fault.vma, fault.addr);
        fault.platform.frames().markDirty(pfn); // the slot goes: this is the only copy
        final long pte = entry(fault, pfn);
        fault.table.store(fault.slot, pte);
        swap.put(slot); // the entry's
        swap.put(slot); // ours
        // 3. A write that the entry does not yet permit goes on as such, in this same fault.
        if (fault.isWrite() && !encoding.isWritable(pte)) {
            fault.originalPte = pte;
            return WriteProtectFault.handle(fault);
        }
        fault.table.unlock(fault.task, fault.slot);
        return FaultResult.DONE;
    }

    /** Writable at once where no write has to be noticed; before 6.10 only if this is a write. */
    private static long entry(final FaultContext fault, final long pfn) {
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
        if (!fault.vma.has(VmFlags.WRITE) || !granted) {
            return pte;
        }
        return encoding.mkWrite(fault.isWrite() ? encoding.mkDirty(pte) : pte);
    }

    private static byte[] bounce(final FaultContext fault) {
        final byte[][] holder = BOUNCE.of(fault.task);
        if (holder[0] == null || holder[0].length != fault.platform.pageSize()) {
            holder[0] = new byte[(int) fault.platform.pageSize()];
        }
        return holder[0];
    }
}
