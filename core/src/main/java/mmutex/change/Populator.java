package mmutex.change;

import mmutex.fault.GupFlags;
import mmutex.fault.PageGetter;
import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * Brings ranges in without anybody touching them: __mm_populate and faultin_page_range, mm/gup.c (6.12). Exclusive pages
 * are restored, each with its event.
 *
 * <p>Threads: any. Faults may drop the mmap lock and take it again.
 */
final class Populator {
    private static final long ACCESS = VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC;
    private static final int COUNT_MAX = 1 << 20;

    private Populator() {}

    /**
     * __mm_populate: every mapped part of a range, private writable mappings as if written. Takes the mmap lock.
     *
     * @return OK, or why a page can't be had: EFAULT, ENOMEM, EINTR
     */
    static Errno populate(final Task task, final AddressSpace space, final long start, final long end) {
        Errno result = Errno.OK;
        space.mmapLock().readLock(task);
        long addr = start;
        while (addr < end && result == Errno.OK) {
            final Vma vma = space.vmas().find(addr);
            if (vma == null || vma.start() >= end) {
                break;
            }
            final long from = Math.max(addr, vma.start());
            final long to = Math.min(end, vma.end());
            addr = to;
            if ((vma.flags() & (VmFlags.IO | VmFlags.PFNMAP)) == 0) {
                result = populate(task, vma, from, to);
            }
        }
        space.mmapLock().readUnlock(task);
        return result;
    }

    /** populate_vma_page_range; mmap lock held shared, or for writing, and then not dropped. */
    private static Errno populate(final Task task, final Vma vma, final long start, final long end) {
        return faultIn(task, vma.space(), start, end, flagsOf(vma) | GupFlags.UNLOCKABLE);
    }

    /** As above, for a caller that holds the mmap lock for writing and goes on holding it; what fails is left out. */
    static void populateLocked(final Task task, final Vma vma, final long start, final long end) {
        faultIn(task, vma.space(), start, end, flagsOf(vma));
    }

    /** Writable private mappings are written to, so that no copy is due later; others are read, whatever they permit. */
    private static int flagsOf(final Vma vma) {
        final boolean write = (vma.flags() & (VmFlags.WRITE | VmFlags.SHARED)) == VmFlags.WRITE;
        final boolean accessible = (vma.flags() & ACCESS) != 0;
        return (write ? GupFlags.WRITE : 0) | (accessible ? GupFlags.FORCE : 0);
    }

    /**
     * faultin_page_range, for MADV_POPULATE_READ and MADV_POPULATE_WRITE; mmap lock held shared.
     *
     * @return OK; ENOMEM at a hole or without frames, EINVAL where the mapping forbids the access, EFAULT, EINTR
     */
    static Errno populate(
            final Task task, final AddressSpace space, final long start, final long end, final boolean write) {
        final int flags = GupFlags.POPULATE | GupFlags.UNLOCKABLE | (write ? GupFlags.WRITE : 0);
        return faultIn(task, space, start, end, flags);
    }

    private static Errno faultIn(
            final Task task, final AddressSpace space, final long start, final long end, final int flags) {
        long addr = start;
        while (addr < end) { // ends: each round brings in a page, or fails
            final int count = (int) Math.min(COUNT_MAX, end - addr >>> space.pageShift());
            final int got = PageGetter.getPages(task, space, addr, count, flags, null);
            if (got <= 0) {
                return Errno.values()[-got];
            }
            addr += (long) got << space.pageShift();
        }
        return Errno.OK;
    }
}
