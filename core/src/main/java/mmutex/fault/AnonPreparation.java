package mmutex.fault;

import mmutex.mm.FaultResult;

/** vmf_anon_prepare, mm/memory.c (6.12): a VMA gets its reverse-map object before its first private page. */
final class AnonPreparation {
    private AnonPreparation() {}

    /** DONE, or RETRY with the VMA lock dropped: looking at neighbours takes the mmap lock, which may not be waited for. */
    static int prepare(final FaultContext fault) {
        if (fault.vma.anonVma() != null) {
            return FaultResult.DONE;
        }
        final boolean underVmaLock = fault.has(FaultFlags.VMA_LOCK);
        if (underVmaLock && !fault.space.mmapLock().tryReadLock(fault.task)) {
            fault.vma.lock().readUnlock(fault.task);
            return FaultResult.RETRY;
        }
        fault.space.reverseMap().prepare(fault.task, fault.vma);
        if (underVmaLock) {
            fault.space.mmapLock().readUnlock(fault.task);
        }
        return FaultResult.DONE;
    }
}
