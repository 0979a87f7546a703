package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
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
public final class Reaper {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private Reaper() {}

    /**
     * Unmaps the private memory of an address space. From then on a fault on missing anonymous memory is a SIGBUS, since
     * what was there is lost.
     *
     * @return OK; EAGAIN if the mmap lock was held for writing, or a VMA had to be passed over: the kernel tries again ten
     *     times, a tenth of a second apart
     */
    public static Errno reap(final Task task, final AddressSpace space) {
        if (!space.mmapLock().tryReadLock(task)) {
            return Errno.EAGAIN;
        }
        space.markUnstable();
        boolean complete = true;
        for (final Vma vma : space.vmas().snapshot()) {
            // Shared memory is not this process's to give, and special mappings have no frames.
            if ((vma.flags() & (VmFlags.SHARED | VmFlags.PFNMAP | VmFlags.IO)) == 0) {
                complete &= reapVma(task, space, vma);
            }
        }
        space.mmapLock().readUnlock(task);
        return complete ? Errno.OK : Errno.EAGAIN;
    }

    private static boolean reapVma(final Task task, final AddressSpace space, final Vma vma) {
        final NotifierRange range =
                RANGE.of(task).init(NotifierEvent.UNMAP, vma.start(), vma.end()).nonBlockable();
        if (!space.notifiers().start(task, range)) {
            return false; // -EAGAIN: no end follows, no entry changes
        }
        Zapper.zap(task, vma, vma.start(), vma.end());
        space.notifiers().end(task, range);
        return true;
    }
}
