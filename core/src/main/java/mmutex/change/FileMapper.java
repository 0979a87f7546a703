package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.FileMapping;
import mmutex.mm.FileMapping.Kind;
import mmutex.mm.HugePagePool;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * mmap of what has a file behind it, at a fixed address and never over anything (MAP_FIXED_NOREPLACE): shared anonymous
 * memory, tmpfs files, a driver's pages, huge pages. mm/mmap.c, mm/shmem.c, mm/memory.c, mm/hugetlb.c (6.12).
 *
 * <p>Results are those of {@link Mapper#mapAnonymous}, and ENOMEM where there is no room for pages or tables.
 */
public final class FileMapper {
    private FileMapper() {}

    /** MAP_SHARED | MAP_ANONYMOUS, shmem_zero_setup: a file without a name, which goes with its last mapping. */
    public static Errno mapSharedAnonymous(
            final Task task, final AddressSpace space, final long start, final long length, final long protection) {
        final long pages = Ranges.pageAligned(space, length) >>> space.pageShift();
        return mapOwn(task, space, start, length, Mapper.sharedFlags(protection), Kind.SHMEM, pages);
    }

    /**
     * Maps a file.
     *
     * @param firstPage page of the file that comes first
     * @param shared MAP_SHARED, else MAP_PRIVATE
     */
    public static Errno mapFile(
            final Task task,
            final AddressSpace space,
            final long start,
            final long length,
            final long protection,
            final FileMapping file,
            final long firstPage,
            final boolean shared) {
        final Errno refused = Mapper.checkNew(space, start, length);
        if (refused != Errno.OK) {
            return refused;
        }
        final long flags = shared ? Mapper.sharedFlags(protection) : Mapper.privateFlags(protection);
        space.mmapLock().writeLock(task);
        final Errno result = mapLocked(task, space, start, length, flags, file, firstPage);
        space.mmapLock().writeUnlock(task);
        return result;
    }

    /**
     * Maps a driver's file privately; the driver inserts a zeroed page of its own everywhere at once (dmirror_fops_mmap and
     * vm_insert_page). Where a page has been discarded there is nothing any more.
     */
    public static Errno mapDriverPages(
            final Task task, final AddressSpace space, final long start, final long length, final long protection) {
        final long flags = Mapper.privateFlags(protection) | VmFlags.MIXEDMAP;
        return mapOwn(task, space, start, length, flags, Kind.DRIVER, 0);
    }

    /**
     * MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB.
     *
     * @return also EINVAL for an address that is not a multiple of a huge page, ENOMEM if the pool has too few
     */
    public static Errno mapHugePages(
            final Task task, final AddressSpace space, final long start, final long length, final long protection) {
        final HugePagePool pool = space.platform().hugePages();
        if (!pool.isAligned(start)) {
            return Errno.EINVAL;
        }
        final long aligned = length + pool.pageSize() - 1 & -pool.pageSize();
        final long flags = Mapper.privateFlags(protection) & ~VmFlags.ACCOUNT | VmFlags.HUGETLB | VmFlags.DONTEXPAND;
        return mapOwn(task, space, start, aligned, flags, Kind.HUGETLB, 0);
    }

    /** A mapping with a file of its own. */
    private static Errno mapOwn(
            final Task task,
            final AddressSpace space,
            final long start,
            final long length,
            final long flags,
            final Kind kind,
            final long filePages) {
        final Errno refused = Mapper.checkNew(space, start, length);
        if (refused != Errno.OK) {
            return refused;
        }
        final FileMapping file;
        try {
            file = space.platform().createFile(task, kind, filePages);
        } catch (final IllegalStateException noRoomForRootTable) {
            return Errno.ENOMEM;
        }
        space.mmapLock().writeLock(task);
        Errno result = kind != Kind.HUGETLB || reserve(task, space, file, length) ? Errno.OK : Errno.ENOMEM;
        if (result == Errno.OK) {
            result = mapLocked(task, space, start, length, flags, file, 0);
        }
        if (result == Errno.OK && kind == Kind.DRIVER) {
            result = insertPages(task, space, start, start + Ranges.pageAligned(space, length));
        }
        space.mmapLock().writeUnlock(task);
        file.release(task); // the mapping, if there is one, holds it now
        return result;
    }

    private static boolean reserve(
            final Task task, final AddressSpace space, final FileMapping file, final long length) {
        final long pages = length / space.platform().hugePages().pageSize();
        return pages <= Integer.MAX_VALUE && file.reserve(task, space, (int) pages);
    }

    private static Errno mapLocked(
            final Task task,
            final AddressSpace space,
            final long start,
            final long length,
            final long flags,
            final FileMapping file,
            final long firstPage) {
        final long end = start + Ranges.pageAligned(space, length);
        if (!Mapper.isFree(space, start, end)) {
            return Errno.EEXIST;
        }
        space.editor().map(task, start, end, flags, firstPage, file);
        return Errno.OK;
    }

    /** The driver's mmap handler; a failure unmaps what it has done so far. */
    private static Errno insertPages(final Task task, final AddressSpace space, final long start, final long end) {
        final Vma vma = space.vmas().lookup(start);
        for (long addr = start; addr < end; addr += space.pageSize()) {
            if (!insertPage(task, vma, addr)) {
                Mapper.unmapLocked(task, space, start, end);
                return Errno.ENOMEM;
            }
        }
        return Errno.OK;
    }

    /** vm_insert_page. The VMA is write-locked and nobody else has seen it. */
    private static boolean insertPage(final Task task, final Vma vma, final long addr) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long slot = table.slotOrCreate(addr);
        final long pfn = slot == PageTable.NO_SLOT
                ? FrameAllocator.NONE
                : space.platform().allocator().allocateZeroed();
        if (pfn == FrameAllocator.NONE) {
            return false;
        }
        space.platform().frames().setBits(pfn, FrameTable.FILE);
        table.lock(task, slot);
        space.reverseMap().add(pfn);
        space.rss(pfn).add(1);
        table.store(slot, encoding.present(pfn, vma.protection()));
        table.unlock(task, slot);
        return true;
    }
}
