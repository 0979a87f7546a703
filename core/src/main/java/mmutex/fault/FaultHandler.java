package mmutex.fault;

import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.RadixTable;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.sync.ActorLocal;

/**
 * Resolves one fault on one page: handle_mm_fault, handle_pte_fault, do_swap_page; mm/memory.c (6.12), semantics 3.2.
 *
 * <p>The caller holds the VMA lock or the mmap lock shared and has checked the VMA's permissions.
 */
public final class FaultHandler {
    private static final ActorLocal<FaultContext> CONTEXT = new ActorLocal<>(FaultContext::new);

    private FaultHandler() {}

    /**
     * Handles a fault.
     *
     * @param flags {@link FaultFlags}
     * @return {@link FaultResult} bits
     */
    public static int handle(final Task task, final Vma vma, final long addr, final int flags) {
        final FaultContext fault = CONTEXT.of(task);
        fault.begin(task, vma, addr, flags);
        final int result = dispatch(fault);
        account(task, fault, result);
        return result;
    }

    /** The same for a kernel's own purposes: not counted as a fault of the task (do_swap_page called by khugepaged). */
    public static int handleUncounted(final Task task, final Vma vma, final long addr, final int flags) {
        final FaultContext fault = CONTEXT.of(task);
        fault.begin(task, vma, addr, flags);
        return dispatch(fault);
    }

    /** Whether the task's last fault restored an exclusive entry. */
    static boolean lastRestored(final Task task) {
        return CONTEXT.of(task).restored;
    }

    private static int dispatch(final FaultContext fault) {
        if (fault.vma.has(VmFlags.HUGETLB)) {
            return HugePageFault.handle(fault);
        }
        fault.slot = fault.table.slot(fault.task, fault.addr);
        // 0. No leaf table: a huge page is, or could be, there.
        if (fault.slot < 0) {
            final int result = HugeFault.handle(fault);
            if (result != FaultResult.FALLBACK) {
                return result;
            }
            fault.slot = fault.table.slot(fault.addr);
            if (RadixTable.isHuge(fault.slot)) {
                return FaultResult.DONE;
            }
        }
        // 1. The entry is read without its lock; whoever acts on it compares again under the lock.
        fault.originalPte = fault.slot == PageTable.NO_SLOT ? fault.encoding.empty() : fault.table.load(fault.slot);
        // 2. Present, nothing, or something special.
        if (fault.encoding.isPresent(fault.originalPte)) {
            return present(fault);
        }
        if (fault.encoding.isNone(fault.originalPte)) {
            return fault.vma.isAnonymous() ? FirstTouch.handle(fault) : FileFault.handle(fault);
        }
        return special(fault);
    }

    private static int special(final FaultContext fault) {
        final PteKind kind = fault.encoding.kind(fault.originalPte);
        switch (kind) {
            case DEVICE_EXCLUSIVE:
            case DEVICE_EXCLUSIVE_READ:
            case DEVICE_EXCLUSIVE_WRITE:
                return ExclusiveRestorer.handleFault(fault);
            case DEVICE_PRIVATE_READ:
            case DEVICE_PRIVATE_WRITE:
                return DevicePrivateFault.handle(fault);
            case MIGRATION_READ:
            case MIGRATION_READ_EXCLUSIVE:
            case MIGRATION_WRITE:
                MigrationWait.await(fault.task, fault.space, fault.slot, fault.originalPte);
                return FaultResult.DONE;
            case SWAP:
                return SwapIn.handle(fault);
            case HWPOISON:
                return FaultResult.HWPOISON;
            default:
                throw new IllegalStateException("no operation of this emulator makes such entries yet: kind=" + kind
                        + ", addr=0x" + Long.toHexString(fault.addr));
        }
    }

    /** The entry is there: the access was denied, or hardware has not seen the last change yet. */
    private static int present(final FaultContext fault) {
        fault.table.lock(fault.task, fault.slot);
        long pte = fault.table.load(fault.slot);
        while (pte == fault.originalPte) { // a failed compare-and-set means that hardware set a bit: look again
            if (fault.has(FaultFlags.WRITE | FaultFlags.UNSHARE) && !fault.encoding.isWritable(pte)) {
                return WriteProtectFault.handle(fault);
            }
            final long touched = fault.encoding.mkYoung(fault.isWrite() ? fault.encoding.mkDirty(pte) : pte);
            if (touched == pte || fault.table.compareAndSet(fault.slot, pte, touched)) {
                break;
            }
            pte = fault.table.load(fault.slot);
            fault.originalPte = pte;
        }
        fault.table.unlock(fault.task, fault.slot);
        return FaultResult.DONE;
    }

    /** mm_account_fault: incomplete and failed faults don't count. */
    private static void account(final Task task, final FaultContext fault, final int result) {
        if ((result & (FaultResult.RETRY | FaultResult.ERROR)) == 0) {
            final boolean waited =
                    fault.has(FaultFlags.TRIED) && fault.platform.profile().retriedFaultIsMajor();
            task.countFault((result & FaultResult.MAJOR) != 0 || waited);
        }
    }
}
