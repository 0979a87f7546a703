package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.SwapEntry;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/** Real swap entries in the hands of zap, fork and swap-out: mm/memory.c, mm/rmap.c (6.12). Leaf-table lock held. */
final class SwapEntries {
    /** The one swap area there is. */
    private static final int AREA = 0;

    private SwapEntries() {}

    /** An entry for a slot, with the flags of the migration entry that stood there. */
    static long of(final PteEncoding encoding, final long slot, final long migration, final boolean exclusive) {
        final long entry =
                MigrationEntries.withFlagsOf(encoding, encoding.fromSwapEntry(SwapEntry.of(AREA, slot)), migration);
        return exclusive ? encoding.mkSwapExclusive(entry) : entry;
    }

    static long slot(final PteEncoding encoding, final long entry) {
        return SwapEntry.offset(encoding.toSwapEntry(entry));
    }

    /** zap: the slot loses an entry. */
    static void free(final Task task, final AddressSpace space, final long entry) {
        final Platform platform = space.platform();
        platform.swapCache().put(task, slot(platform.encoding(), entry));
        space.swapEntries().add(-1);
    }

    /** copy_nonpresent_pte: both sides refer to the slot, and neither owns it alone any more. */
    static void fork(final Vma vma, final Vma copy, final long tableSlot, final long childSlot, final long first) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        long entry = first;
        platform.swap().get(slot(encoding, entry));
        if (encoding.isSwapExclusive(entry)) {
            entry = encoding.clearSwapExclusive(entry);
            vma.space().pageTable().store(tableSlot, entry);
        }
        copy.space().swapEntries().add(1);
        copy.space().pageTable().store(childSlot, DeviceEntries.inherited(encoding, copy, entry));
    }
}
