package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierRange;

/**
 * One fault in progress: {@code struct vm_fault} (6.12). Reused by its task; a fault never runs inside another.
 *
 * <p>What a task's last fault has left here is what its next one mostly needs, and a stored reference costs a collector's
 * barrier: so references are stored only when they differ.
 */
final class FaultContext {
    final NotifierRange range = new NotifierRange();

    Task task;
    AddressSpace space;
    Platform platform;
    PteEncoding encoding;
    PageTable table;
    Vma vma;
    /** Page-aligned address. */
    long addr;
    /** {@link FaultFlags}. */
    int flags;
    /** Slot of the entry; NO_SLOT while there is no leaf table. */
    long slot;
    /** The entry as it was first read, without lock. */
    long originalPte;
    /** Whether this fault restored an exclusive entry. */
    boolean restored;

    void begin(final Task newTask, final Vma newVma, final long newAddr, final int newFlags) {
        if (task != newTask) {
            task = newTask;
        }
        if (vma != newVma) {
            vma = newVma;
            space = newVma.space();
            platform = space.platform();
            encoding = platform.encoding();
            table = space.pageTable();
        }
        addr = newAddr & -space.pageSize();
        flags = newFlags;
        restored = false;
    }

    boolean isWrite() {
        return (flags & FaultFlags.WRITE) != 0;
    }

    boolean has(final int flag) {
        return (flags & flag) != 0;
    }

    /** maybe_mkwrite. */
    long maybeWritable(final long pte) {
        return vma.has(VmFlags.WRITE) ? encoding.mkWrite(pte) : pte;
    }

    /** release_fault_lock: the VMA may not be touched afterwards. */
    void releaseLock() {
        if (has(FaultFlags.VMA_LOCK)) {
            vma.lock().readUnlock(task);
        } else {
            space.mmapLock().readUnlock(task);
        }
    }
}
