package mmutex.change;

import mmutex.fault.FaultFlags;
import mmutex.fault.FaultHandler;
import mmutex.layout.PteKind;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/** unuse_vma, mm/swapfile.c (6.12): finds the swap entries of a VMA and faults their pages in. mmap lock held shared. */
final class SwapScan {
    private SwapScan() {}

    static Errno bringBack(final Task task, final Vma vma) {
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final long end = vma.end() >>> space.pageShift();
        long page = radix.nextPopulated(vma.start() >>> space.pageShift(), end);
        while (page < end) {
            final long addr = page << space.pageShift();
            if (isSwappedOut(space, addr)) {
                final int result = FaultHandler.handle(task, vma, addr, FaultFlags.REMOTE);
                if ((result & FaultResult.ERROR) != 0) {
                    return Errno.ENOMEM;
                }
            }
            page = radix.nextPopulated(page + 1, end);
        }
        return Errno.OK;
    }

    /** A hint: the fault looks again under the lock. */
    private static boolean isSwappedOut(final AddressSpace space, final long addr) {
        return space.encoding().kind(space.pageTable().peek(addr)) == PteKind.SWAP;
    }
}
