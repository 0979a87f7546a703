package mmutex.fault;

import mmutex.mm.FaultResult;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * An access to a page that lives in a device's memory: do_swap_page, mm/memory.c (6.12); semantics 3.2. The device's driver
 * brings it back; whether it did is seen when the access comes again.
 */
final class DevicePrivateFault {
    private DevicePrivateFault() {}

    static int handle(final FaultContext fault) {
        final Task task = fault.task;
        final Platform platform = fault.platform;
        // 1. Drivers look at VMAs, and so need the mmap lock.
        if (fault.has(FaultFlags.VMA_LOCK)) {
            fault.releaseLock();
            return FaultResult.RETRY;
        }
        // 2. A reference, while the entry says that the page can't be freed; from 6.15 on the page lock too. With the
        // reference alone, threads that fault on one page together each find one reference too many, and all fail.
        final long pfn = fault.encoding.swapFrameNumber(fault.originalPte);
        final boolean locks = platform.profile().deviceFaultTakesPageLock();
        fault.table.lock(task, fault.slot);
        final boolean same = fault.table.load(fault.slot) == fault.originalPte;
        final boolean got = same && (!locks || platform.pageLock().tryLock(task, pfn));
        if (got) {
            platform.frames().get(pfn);
        }
        fault.table.unlock(task, fault.slot);
        if (!got) {
            if (same) {
                MigrationWait.await(task, fault.space, fault.slot, fault.originalPte);
            }
            return FaultResult.DONE;
        }
        // 3. The driver's turn.
        final int result = platform.deviceMemory(pfn).ops().migrateToRam(task, fault.vma, fault.addr, pfn);
        if (locks) {
            platform.pageLock().unlock(task, pfn);
        }
        platform.allocator().put(pfn);
        // 4. Still there? Then somebody else is using it at this moment.
        if (result == FaultResult.DONE && fault.table.load(fault.slot) == fault.originalPte) {
            MigrationWait.awaitUnused(task, fault.space, fault.slot, fault.originalPte);
        }
        return result;
    }
}
