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
 * Takes the private anonymous memory of a process that must die, without waiting for anybody: oom_reap_task_mm,
 * mm/oom_kill.c (6.12); semantics E16.
 *
 * <p>Threads: any task; the process may still run, its accesses then find fresh pages.
 */
public final class Reaper {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private Reaper() {}

    /**
     * Reaps what can be had at once.
     *
     * @return OK; EAGAIN if the mmap lock was not to be had, or a VMA was left because a subscriber would have had to wait:
     *     the kernel tries again ten times, a tenth of a second apart
     */
    public static Errno reap(final Task task, final AddressSpace space) {
        if (!space.mmapLock().tryReadLock(task)) {
            return Errno.EAGAIN;
        }
        boolean complete = true;
        for (final Vma vma : space.vmas().snapshot()) {
            // Shared memory is not this process's to give, and special mappings have no frames.
            if ((vma.flags() & (VmFlags.SHARED | VmFlags.PFNMAP | VmFlags.IO)) == 0) {
                complete &= reap(task, vma);
            }
        }
        space.mmapLock().readUnlock(task);
        return complete ? Errno.OK : Errno.EAGAIN;
    }

    /** __oom_reap_task_mm, for one VMA; false if it was left as it is. */
    private static boolean reap(final Task task, final Vma vma) {
        final AddressSpace space = vma.space();
        final NotifierRange range = RANGE.of(task);
        range.init(NotifierEvent.UNMAP, vma.start(), vma.end()).nonBlockable();
        if (!space.notifiers().start(task, range)) {
            return false;
        }
        Zapper.zap(task, space, vma.start(), vma.end());
        space.notifiers().end(task, range);
        return true;
    }
}
