package mmutex.fault;

import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.FaultResult;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.sync.PhaseProbe.Path;

/**
 * A CPU's page fault from entry to exit: first under the per-VMA lock where the profile has one, then under the mmap
 * lock, started over as often as locks were dropped. do_user_addr_fault, arch/x86/mm/fault.c (6.12).
 */
public final class UserFault {
    private static final int FLAGS = FaultFlags.ALLOW_RETRY | FaultFlags.KILLABLE;
    private static final long ACCESSIBLE = VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC;

    private UserFault() {}

    /**
     * Resolves a fault, so that the access can be tried again. No window of the task is open, no lock held.
     *
     * @return {@link Signal#NONE}, or why the access can't succeed
     */
    public static Signal handle(final Task task, final AddressSpace space, final long addr, final boolean write) {
        task.probe().begin(Path.RESTORE);
        final int flags = write ? FLAGS | FaultFlags.WRITE : FLAGS;
        Signal signal = null;
        if (space.platform().profile().hasVmaLock()) {
            signal = tryUnderVmaLock(task, space, addr, flags);
        }
        if (signal == null) {
            signal = underMmapLock(task, space, addr, flags);
        }
        // Without a signal the fault got as far as its entry; else the last one to do so was an earlier one.
        task.probe().end(Path.RESTORE, signal == Signal.NONE && FaultHandler.lastRestored(task));
        return signal;
    }

    /** lock_vma_under_rcu and the fault; null if the mmap lock is needed. */
    private static Signal tryUnderVmaLock(final Task task, final AddressSpace space, final long addr, final int flags) {
        final Vma vma = space.vmas().lookup(addr); // ORDER(vma-lookup): checked again below, under the VMA's lock
        if (vma == null || !vma.lock().tryReadLock(task, space.mmapLock())) {
            return null;
        }
        if (vma.isDetached() || !vma.contains(addr)) {
            vma.lock().readUnlock(task);
            return null;
        }
        if (isForbidden(vma, flags)) {
            vma.lock().readUnlock(task);
            return Signal.SEGV_ACCERR;
        }
        final int result = FaultHandler.handle(task, vma, addr, flags | FaultFlags.VMA_LOCK);
        if ((result & FaultResult.RETRY) != 0) {
            return task.isKilled() ? Signal.KILLED : null;
        }
        vma.lock().readUnlock(task);
        return signalOf(result);
    }

    private static Signal underMmapLock(
            final Task task, final AddressSpace space, final long addr, final int firstFlags) {
        int flags = firstFlags;
        while (true) { // ends: with TRIED set the handler blocks instead of asking to be started over
            space.mmapLock().readLock(task);
            final Vma vma = space.vmas().lookup(addr);
            if (vma == null || isForbidden(vma, flags)) {
                space.mmapLock().readUnlock(task);
                return vma == null ? Signal.SEGV_MAPERR : Signal.SEGV_ACCERR;
            }
            final int result = FaultHandler.handle(task, vma, addr, flags);
            if ((result & FaultResult.RETRY) == 0) {
                space.mmapLock().readUnlock(task);
                return signalOf(result);
            }
            if (task.isKilled()) {
                return Signal.KILLED;
            }
            flags |= FaultFlags.TRIED;
        }
    }

    /** access_error: a write needs a writable VMA; a read any permission at all, since x86 can't forbid it alone. */
    private static boolean isForbidden(final Vma vma, final int flags) {
        return (vma.flags() & ((flags & FaultFlags.WRITE) != 0 ? VmFlags.WRITE : ACCESSIBLE)) == 0;
    }

    private static Signal signalOf(final int result) {
        if ((result & FaultResult.ERROR) == 0) {
            return Signal.NONE;
        }
        if ((result & FaultResult.OOM) != 0) {
            return Signal.OUT_OF_MEMORY;
        }
        if ((result & FaultResult.HWPOISON) != 0) {
            return Signal.BUS_MCEERR_AR;
        }
        return (result & FaultResult.SIGSEGV) != 0 ? Signal.SEGV_MAPERR : Signal.BUS_ADRERR;
    }
}
