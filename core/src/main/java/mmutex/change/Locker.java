package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * mlock and munlock: mm/mlock.c (6.12). Locked memory is brought in at once, which restores exclusive pages, and reclaim
 * leaves it alone.
 */
public final class Locker {
    private Locker() {}

    /**
     * Locks a range and brings it in.
     *
     * @return OK; ENOMEM for a hole or memory that can't be had at all, the mappings before it staying locked; EAGAIN if
     *     frames ran out
     */
    public static Errno lock(final Task task, final AddressSpace space, final long addr, final long length) {
        final long start = addr & -space.pageSize();
        final long size = Ranges.pageAligned(space, length + (addr - start));
        final Errno changed = change(task, space, start, size, true);
        if (changed != Errno.OK) {
            return changed;
        }
        // __mlock_posix_error_return
        final Errno populated = Populator.populate(task, space, start, start + size);
        if (populated == Errno.EFAULT) {
            return Errno.ENOMEM;
        }
        return populated == Errno.ENOMEM ? Errno.EAGAIN : populated;
    }

    /** Unlocks a range; ENOMEM for a hole, the mappings before it being unlocked. */
    public static Errno unlock(final Task task, final AddressSpace space, final long addr, final long length) {
        final long start = addr & -space.pageSize();
        return change(task, space, start, Ranges.pageAligned(space, length + (addr - start)), false);
    }

    /** apply_vma_lock_flags. */
    private static Errno change(
            final Task task, final AddressSpace space, final long start, final long size, final boolean lock) {
        final Errno refused = Ranges.check(space, start, size);
        if (refused != Errno.OK || size == 0) {
            return refused;
        }
        space.mmapLock().writeLock(task);
        Errno result = Errno.OK;
        long addr = start;
        while (addr < start + size && result == Errno.OK) {
            final Vma vma = space.vmas().lookup(addr);
            if (vma == null) {
                result = Errno.ENOMEM;
            } else {
                final long end = Math.min(vma.end(), start + size);
                changeVma(task, vma, addr, end, lock);
                addr = end;
            }
        }
        space.mmapLock().writeUnlock(task);
        return result;
    }

    /** mlock_fixup. */
    private static void changeVma(
            final Task task, final Vma vma, final long start, final long end, final boolean lock) {
        final AddressSpace space = vma.space();
        final long flags = lock ? vma.flags() | VmFlags.LOCKED : vma.flags() & ~VmFlags.LOCKED;
        final boolean special = (vma.flags() & (VmFlags.SPECIAL | VmFlags.HUGETLB)) != 0;
        if (flags == vma.flags() || special) {
            return;
        }
        space.editor().modify(task, vma, start, end, flags);
        final long pages = end - start >>> space.pageShift();
        space.lockedPages().add(lock ? pages : -pages);
    }
}
