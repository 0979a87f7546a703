package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * Takes a dying process's memory before it exits: __oom_reap_task_mm, mm/oom_kill.c (6.12); semantics 2, E16.
 *
 * <p>Nothing here may wait: the mmap lock is only tried, and the spans are non-blockable. A VMA whose subscribers would have
 * to wait is passed over.
 */
public final class OomReaper {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private OomReaper() {}

    /**
     * Unmaps the private memory of an address space. From then on a fault on missing anonymous memory is a SIGBUS, since
     * what was there is lost.
     *
     * @return whether all of it is gone; false if the mmap lock was held for writing, or a VMA had to be passed over
     */
    public static boolean reap(final Task task, final AddressSpace space) {
        if (!space.mmapLock().tryReadLock(task)) {
            return false;
        }
        space.markUnstable();
        boolean complete = true;
        for (final Vma vma : space.vmas().snapshot()) {
            if (!vma.has(VmFlags.PFNMAP) && !vma.has(VmFlags.SHARED)) {
                complete &= reapVma(task, space, vma);
            }
        }
        space.mmapLock().readUnlock(task);
        return complete;
    }

    private static boolean reapVma(final Task task, final AddressSpace space, final Vma vma) {
        final NotifierRange range =
                RANGE.of(task).init(NotifierEvent.UNMAP, vma.start(), vma.end()).nonBlockable();
        if (!space.notifiers().start(task, range)) {
            return false; // -EAGAIN: no end follows, no entry changes
        }
        Zapper.zap(task, space, vma.start(), vma.end());
        space.notifiers().end(task, range);
        return true;
    }
}
