package mmutex.fault;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.PmdSplitter;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * From addresses to referenced frames: get_user_pages_remote with FOLL_GET and, for make, FOLL_WRITE | FOLL_SPLIT_PMD;
 * mm/gup.c (6.12), semantics 3.5.
 *
 * <p>The caller holds the mmap lock, which is not dropped: faults from here neither retry nor die. What the result says
 * is "this frame was at this address at some instant"; nothing keeps it there.
 *
 * <p>Consequences for make: an exclusive page, own or foreign, is restored first, with its own event; a zero or shared
 * page is copied first.
 */
public final class PageGetter {
    private PageGetter() {}

    /**
     * Takes a reference on the frames of consecutive pages, writable ones if asked.
     *
     * @param start page-aligned
     * @param count pages wanted
     * @param frames receives the frame numbers; behind the result its contents are undefined
     * @return number of pages obtained if at least one; else {@code -errno.ordinal()} or 0
     */
    public static int getPages(
            final Task task,
            final AddressSpace space,
            final long start,
            final int count,
            final boolean write,
            final long[] frames) {
        return getPages(task, space, start, count, write, true, frames);
    }

    /**
     * As above.
     *
     * @param splitPmd FOLL_SPLIT_PMD: huge mappings are split, so that each page is mapped by an entry of its own
     */
    public static int getPages(
            final Task task,
            final AddressSpace space,
            final long start,
            final int count,
            final boolean write,
            final boolean splitPmd,
            final long[] frames) {
        Vma vma = null;
        int got = 0;
        long addr = start;
        Errno error = Errno.OK;
        while (got < count) {
            // 1. VMA check.
            if (vma == null || addr >= vma.end()) {
                vma = space.vmas().lookup(addr);
                if (vma == null || !isAllowed(vma, write)) {
                    error = Errno.EFAULT;
                    break;
                }
            }
            if (task.isKilled()) {
                error = Errno.EINTR;
                break;
            }
            // 2. Present and permitted: take it.
            final long pfn = follow(task, vma, addr, write, splitPmd);
            if (pfn != FrameAllocator.NONE) {
                frames[got++] = pfn;
                addr += space.pageSize();
                continue;
            }
            // 3. Otherwise fault it in and look again.
            error = faultIn(task, vma, addr, write);
            if (error != Errno.OK) {
                break;
            }
        }
        return got > 0 ? got : -error.ordinal();
    }

    /** check_vma_flags. */
    private static boolean isAllowed(final Vma vma, final boolean write) {
        return (vma.flags() & (VmFlags.IO | VmFlags.PFNMAP)) == 0 && vma.has(write ? VmFlags.WRITE : VmFlags.READ);
    }

    /** follow_page_pte: a referenced frame, or NONE if the page has to be faulted in. */
    private static long follow(
            final Task task, final Vma vma, final long addr, final boolean write, final boolean splitPmd) {
        final PageTable table = vma.space().pageTable();
        long slot = table.slot(addr);
        if (RadixTable.isHuge(slot)) {
            if (!splitPmd) {
                return followHuge(task, vma, RadixTable.hugeSlot(slot), addr, write);
            }
            PmdSplitter.split(task, vma, addr);
            slot = table.slot(addr);
        }
        if (slot < 0) {
            return FrameAllocator.NONE;
        }
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        long pfn = FrameAllocator.NONE;
        table.lock(task, slot);
        final long pte = table.load(slot);
        if (encoding.isPresent(pte) && !encoding.isNoAccess(pte) && (!write || encoding.isWritable(pte))) {
            pfn = encoding.frameNumber(pte);
            if (pfn != FrameAllocator.ZERO_FRAME) {
                platform.frames().get(pfn);
                // FOLL_TOUCH: whoever writes through the reference leaves no trace in the entry.
                if (write && !encoding.isDirty(pte)) {
                    platform.frames().markDirty(pfn);
                }
            }
        }
        table.unlock(task, slot);
        return pfn;
    }

    /** follow_huge_pmd. */
    private static long followHuge(
            final Task task, final Vma vma, final long slot, final long addr, final boolean write) {
        final PageTable table = vma.space().pageTable();
        final FrameTable frames = vma.space().platform().frames();
        long pfn = FrameAllocator.NONE;
        table.lock(task, slot);
        final long pmd = table.loadUpper(slot);
        if (HugePmd.isHuge(pmd) && !HugePmd.isNoAccess(pmd) && (!write || HugePmd.isWritable(pmd))) {
            pfn = HugePmd.frameNumber(pmd) + (addr >>> vma.space().pageShift() & frames.compoundFrames() - 1);
            frames.get(pfn);
            if (write && !HugePmd.isDirty(pmd)) {
                frames.markDirty(pfn);
            }
        }
        table.unlock(task, slot);
        return pfn;
    }

    /** faultin_page: no retry, no signal. */
    private static Errno faultIn(final Task task, final Vma vma, final long addr, final boolean write) {
        final int result = FaultHandler.handle(task, vma, addr, FaultFlags.REMOTE | (write ? FaultFlags.WRITE : 0));
        if ((result & FaultResult.ERROR) == 0) {
            return Errno.OK;
        }
        if ((result & FaultResult.OOM) != 0) {
            return Errno.ENOMEM;
        }
        return (result & FaultResult.HWPOISON) != 0 ? Errno.EHWPOISON : Errno.EFAULT;
    }
}
