package mmutex.fault;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.memory.RadixTable;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.UserFaults;
import mmutex.mm.UserFaults.Pending;
import mmutex.sync.ActorLocal;

/**
 * Hands a fault to the user's handler and waits until it has been dealt with: handle_userfault, fs/userfaultfd.c (6.12).
 *
 * <p>Faults that may not drop their lock (make's, a device's) never get here: they fail, and nothing changes.
 */
final class UserFaultWait {
    private static final ActorLocal<Pending> PENDING = new ActorLocal<>(Pending::new);

    private UserFaultWait() {}

    /**
     * Called with the VMA or mmap lock held shared and no leaf-table lock.
     *
     * @param writeProtect the page is there, and its handler wants to know of writes; else it is missing
     * @return RETRY, the lock dropped; or USER_FAULT if nobody can be waited for
     */
    static int handle(final FaultContext fault, final boolean writeProtect) {
        final UserFaults handler = fault.vma.userFaults();
        if (handler == null || !fault.has(FaultFlags.ALLOW_RETRY)) {
            return FaultResult.USER_FAULT;
        }
        final Pending pending = PENDING.of(fault.task);
        // 1. Queued first: whoever resolves the page from now on wakes this task.
        if (!handler.post(fault.task, pending, fault.addr, fault.isWrite(), writeProtect)) {
            return FaultResult.USER_FAULT;
        }
        // 2. userfaultfd_must_wait: it may have been resolved before.
        final boolean mustWait = isUnresolved(fault, writeProtect);
        fault.releaseLock();
        // 3. Sleep, without any lock.
        if (mustWait) {
            handler.announce(fault.task);
            handler.await(fault.task, pending);
        }
        handler.withdraw(fault.task, pending);
        return FaultResult.RETRY;
    }

    private static boolean isUnresolved(final FaultContext fault, final boolean writeProtect) {
        final PteEncoding encoding = fault.encoding;
        final long slot = fault.table.slot(fault.addr);
        if (RadixTable.isHuge(slot)) {
            final long pmd = fault.table.loadUpper(RadixTable.hugeSlot(slot));
            return writeProtect && HugePmd.isHuge(pmd) && !HugePmd.isWritable(pmd) && HugePmd.isUffdWp(pmd);
        }
        final long pte = slot == PageTable.NO_SLOT ? encoding.empty() : fault.table.load(slot);
        if (writeProtect) {
            return encoding.isPresent(pte) && !encoding.isWritable(pte) && encoding.isUffdWp(pte);
        }
        return encoding.isNone(pte);
    }
}
