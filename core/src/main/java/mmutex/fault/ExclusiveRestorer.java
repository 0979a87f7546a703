package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.mm.FaultResult;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.mm.WriteUpgrade;
import mmutex.sync.PhaseProbe.Phase;

/**
 * Gives an exclusive page back to the CPUs: remove_device_exclusive_entry and restore_exclusive_pte, mm/memory.c (6.12);
 * semantics 3.6 and 3.7.
 *
 * <p>Why the page lock: whoever converted the entry keeps the page locked until the device is programmed, so a CPU can't
 * undo the conversion before its first use. Why the notification comes before the restore: after it no device can use the
 * frame, so the first CPU access through the restored entry can't interleave with a device's read-modify-write. Entries
 * equal bit for bit after an intermediate restore and re-make (ABA) are harmless: steps 3 and 4 run under the page lock,
 * and the notification is newer than any device mapping.
 *
 * <pre>
 *   entry          event                    entry afterwards
 *   EXCL_W (6.12)  restore, VMA writable    present, writable, dirty, old
 *   EXCL_W (6.12)  restore, VMA read-only   present, read-only, dirty, old
 *   EXCL_R (6.12)  restore                  present, read-only, clean, old
 *   EXCL (6.15)    restore                  present, old; writable if the VMA is and the page may be at once
 *   any            uffd-wp set              present, read-only, clean, old, uffd-wp
 * </pre>
 */
public final class ExclusiveRestorer {
    private ExclusiveRestorer() {}

    /** 3.6: called with the VMA lock or mmap lock shared, no leaf-table lock, and an exclusive entry read locklessly. */
    static int handleFault(final FaultContext fault) {
        final Task task = fault.task;
        final Platform platform = fault.platform;
        final SemanticProfile profile = platform.profile();
        final long pfn = fault.encoding.swapFrameNumber(fault.originalPte);
        task.probe().mark(Phase.FAULT_ENTRY);
        // 1. A reference of our own: without the leaf-table lock the entry may be zapped and the frame recycled. No
        // reference to be had means that it is gone already (R2).
        if (profile.restoreTakesReference() && !platform.frames().tryGet(pfn)) {
            return FaultResult.DONE;
        }
        final long folio = platform.frames().head(pfn);
        // 2. The page lock, or drop our lock, wait and start over.
        final int locked = lockOrRetry(fault, folio);
        task.probe().mark(Phase.PAGE_LOCK);
        if (locked == FaultResult.DONE) {
            restoreLocked(fault, folio);
        }
        if (profile.restoreTakesReference()) {
            platform.allocator().put(folio);
        }
        if (locked == FaultResult.DONE) {
            fault.space.notifiers().end(task, fault.range);
            task.probe().mark(Phase.NOTIFY_END);
        }
        return locked;
    }

    private static void restoreLocked(final FaultContext fault, final long folio) {
        final Task task = fault.task;
        final Platform platform = fault.platform;
        // 3. Devices give the page up; callbacks run with the page lock held.
        fault.range.init(platform.profile().restoreEvent(), fault.addr, fault.addr + fault.space.pageSize(), 0);
        fault.space.notifiers().start(task, fault.range);
        task.probe().mark(Phase.NOTIFY);
        // 4. Still the same entry? Then put the page back.
        fault.table.lock(task, fault.slot);
        if (fault.table.load(fault.slot) == fault.originalPte) {
            restorePte(fault.vma, fault.slot, fault.originalPte);
            fault.restored = true;
        }
        // 5. The page is lockable again before the invalidation ends: a maker that comes now is held in read_begin.
        fault.table.unlock(task, fault.slot);
        task.probe().mark(Phase.PTE_RESTORE);
        platform.pageLock().unlock(task, folio);
    }

    /** __folio_lock_or_retry. DONE: locked. RETRY: not locked, the VMA or mmap lock is dropped. */
    private static int lockOrRetry(final FaultContext fault, final long folio) {
        final Platform platform = fault.platform;
        if (platform.profile().restoreBlocksOnPageLock()) {
            platform.pageLock().lock(fault.task, folio);
            return FaultResult.DONE;
        }
        if (platform.pageLock().tryLock(fault.task, folio)) {
            return FaultResult.DONE;
        }
        if (FaultFlags.isFirstRetry(fault.flags)) {
            fault.releaseLock();
            platform.pageLock().waitUnlocked(fault.task, folio, fault.has(FaultFlags.KILLABLE));
            return FaultResult.RETRY;
        }
        if (!fault.has(FaultFlags.KILLABLE)) {
            platform.pageLock().lock(fault.task, folio);
            return FaultResult.DONE;
        }
        if (platform.pageLock().lockKillable(fault.task, folio)) {
            return FaultResult.DONE;
        }
        fault.releaseLock();
        return FaultResult.RETRY;
    }

    /**
     * 3.7, restore_exclusive_pte: page locked, leaf-table lock held, subscribers told. The entry's reference becomes the
     * present entry's.
     */
    static void restorePte(final Vma vma, final long slot, final long exclusive) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final long entry = platform.profile().restoreConfusesSubpages()
                ? ofHead(encoding, exclusive, platform.frames().head(encoding.swapFrameNumber(exclusive)))
                : exclusive;
        final long pfn = encoding.swapFrameNumber(entry);
        final long pte;
        if (platform.profile().restoreDecidesWritable()) {
            final long readOnly = encoding.restoreExclusiveReadOnly(entry, vma.protection());
            pte = vma.has(VmFlags.WRITE) && WriteUpgrade.isPossible(vma, readOnly)
                    ? encoding.grantWrite(readOnly, platform.frames().isDirty(pfn))
                    : readOnly;
        } else {
            pte = encoding.restoreExclusiveByEntry(entry, vma.protection(), vma.has(VmFlags.WRITE));
        }
        if (!platform.profile().exclusiveKeepsMapcount()) {
            vma.space().reverseMap().add(pfn);
        }
        vma.space().pageTable().store(slot, pte);
    }

    /**
     * 3.13, try_restore_exclusive_pte: fork's way. Both leaf-table locks are held, so the page lock only by trylock; the
     * PROT_PAGE event has been sent.
     *
     * @return false if somebody else holds the page lock
     */
    public static boolean tryRestoreForFork(final Task task, final Vma vma, final long slot, final long entry) {
        final Platform platform = vma.space().platform();
        final long pfn = platform.encoding().swapFrameNumber(entry);
        final long folio = platform.frames().head(pfn);
        if (!platform.pageLock().tryLock(task, folio)) {
            return false;
        }
        restorePte(vma, slot, entry);
        platform.pageLock().unlock(task, folio);
        return true;
    }

    /** What the early series restored: the entry, but of the folio's first page, whichever page it was made of. */
    private static long ofHead(final PteEncoding encoding, final long entry, final long head) {
        long confused = encoding.frameEntry(encoding.kind(entry), head);
        confused = encoding.isSwapSoftDirty(entry) ? encoding.mkSwapSoftDirty(confused) : confused;
        return encoding.isSwapUffdWp(entry) ? encoding.mkSwapUffdWp(confused) : confused;
    }
}
