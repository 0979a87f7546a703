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
 * From addresses to referenced frames: get_user_pages_remote and its relatives; mm/gup.c (6.12), semantics 3.5. Make asks
 * with FOLL_GET | FOLL_WRITE | FOLL_SPLIT_PMD.
 *
 * <p>The caller holds the mmap lock shared. Unless he allows it ({@link GupFlags#UNLOCKABLE}) it is not dropped: faults
 * from here then neither retry nor die. What the result says is "this frame was at this address at some instant"; nothing
 * keeps it there.
 *
 * <p>Consequences for make: an exclusive page, own or foreign, is restored first, with its own event; a zero or shared
 * page is copied first.
 */
public final class PageGetter {
    /** Results of {@link #follow} besides frame numbers. */
    private static final long MUST_FAULT = -1;

    private static final long MUST_UNSHARE = -2;

    private PageGetter() {}

    /** Takes a plain reference on the frames of consecutive pages, writable ones if asked; the mmap lock is kept. */
    public static int getPages(
            final Task task,
            final AddressSpace space,
            final long start,
            final int count,
            final boolean write,
            final long[] frames) {
        return getPages(task, space, start, count, write ? GupFlags.WRITE : 0, frames);
    }

    /**
     * Brings consecutive pages in and, unless only populating, takes a reference (or pin) on their frames.
     *
     * @param start page-aligned
     * @param count pages wanted
     * @param flags {@link GupFlags}
     * @param frames receives the frame numbers; behind the result its contents are undefined. Null: no references
     * @return number of pages obtained if at least one; else {@code -errno.ordinal()} or 0
     */
    public static int getPages(
            final Task task,
            final AddressSpace space,
            final long start,
            final int count,
            final int flags,
            final long[] frames) {
        Vma vma = null;
        int got = 0;
        boolean tried = false;
        boolean cowed = false;
        long addr = start;
        Errno error = Errno.OK;
        while (got < count) {
            // 1. VMA check.
            if (vma == null || addr >= vma.end()) {
                vma = space.vmas().lookup(addr);
                error = check(vma, flags);
                if (error != Errno.OK) {
                    break;
                }
            }
            if (task.isKilled()) {
                error = Errno.EINTR;
                break;
            }
            // 2. Present and permitted: take it.
            final long seen = follow(task, vma, addr, flags, cowed, frames != null);
            if (seen >= 0) {
                if (frames != null) {
                    frames[got] = seen;
                }
                got++;
                addr += space.pageSize();
                tried = false;
                cowed = false;
                continue;
            }
            // 3. Otherwise fault it in and look again.
            final int result = FaultHandler.handle(task, vma, addr, faultFlags(flags, tried, seen == MUST_UNSHARE));
            if ((result & FaultResult.RETRY) != 0) {
                space.mmapLock().readLock(task); // the fault has dropped it: whatever was known of VMAs is stale
                vma = null;
                tried = true;
                continue;
            }
            error = errorOf(result);
            if (error != Errno.OK) {
                break;
            }
            cowed = !vma.has(VmFlags.WRITE);
        }
        return got > 0 ? got : -error.ordinal();
    }

    /** check_vma_flags. */
    private static Errno check(final Vma vma, final int flags) {
        final boolean populate = (flags & GupFlags.POPULATE) != 0;
        if (vma == null) {
            return populate ? Errno.ENOMEM : Errno.EFAULT;
        }
        if ((flags & GupFlags.SPLIT_PMD) != 0 && vma.has(VmFlags.HUGETLB)) {
            return Errno.EOPNOTSUPP;
        }
        return isAllowed(vma, flags) ? Errno.OK : populate ? Errno.EINVAL : Errno.EFAULT;
    }

    private static boolean isAllowed(final Vma vma, final int flags) {
        if ((vma.flags() & (VmFlags.IO | VmFlags.PFNMAP)) != 0) {
            return false;
        }
        final boolean force = (flags & GupFlags.FORCE) != 0;
        if ((flags & GupFlags.WRITE) != 0) {
            return vma.has(VmFlags.WRITE) || force && VmFlags.isCowMapping(vma.flags());
        }
        return vma.has(VmFlags.READ) || force && vma.has(VmFlags.MAYREAD);
    }

    /** follow_page_pte: the frame, referenced if asked, or what has to be done first. */
    private static long follow(
            final Task task,
            final Vma vma,
            final long addr,
            final int flags,
            final boolean cowed,
            final boolean reference) {
        final PageTable table = vma.space().pageTable();
        long slot = table.slot(task, addr);
        if (RadixTable.isHuge(slot)) {
            if ((flags & GupFlags.SPLIT_PMD) == 0) {
                return followHuge(task, vma, RadixTable.hugeSlot(slot), addr, flags, cowed, reference);
            }
            PmdSplitter.split(task, vma, addr);
            slot = table.slot(addr);
        }
        if (slot < 0) {
            return MUST_FAULT;
        }
        table.lock(task, slot);
        final long result = followLocked(vma, table.load(slot), flags, cowed, reference);
        table.unlock(task, slot);
        return result;
    }

    private static long followLocked(
            final Vma vma, final long pte, final int flags, final boolean cowed, final boolean reference) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final boolean write = (flags & GupFlags.WRITE) != 0;
        if (!encoding.isPresent(pte)
                || encoding.isNoAccess(pte) && (flags & GupFlags.FORCE) == 0
                || write && !mayWrite(vma, pte, flags, cowed)) {
            return MUST_FAULT;
        }
        final long pfn = encoding.frameNumber(pte);
        if (pfn == FrameAllocator.ZERO_FRAME) {
            return pfn;
        }
        final boolean pin = (flags & GupFlags.PIN) != 0;
        if (pin && !write && mustUnshare(platform, pfn)) {
            return MUST_UNSHARE;
        }
        if (reference) {
            if (pin) {
                platform.frames().pin(pfn);
            } else {
                platform.frames().get(pfn);
            }
        }
        // FOLL_TOUCH: whoever writes through the reference leaves no trace in the entry.
        if (write && !encoding.isDirty(pte)) {
            platform.frames().markDirty(pfn);
        }
        return pfn;
    }

    /** follow_huge_pmd: as followLocked, of one page under a huge entry. */
    private static long followHuge(
            final Task task,
            final Vma vma,
            final long slot,
            final long addr,
            final int flags,
            final boolean cowed,
            final boolean reference) {
        final Platform platform = vma.space().platform();
        final PageTable table = vma.space().pageTable();
        final FrameTable frames = platform.frames();
        table.lock(task, slot);
        final long pmd = table.loadUpper(slot);
        final boolean write = (flags & GupFlags.WRITE) != 0;
        final boolean pin = (flags & GupFlags.PIN) != 0;
        long result = MUST_FAULT;
        if (HugePmd.isHuge(pmd)
                && (!HugePmd.isNoAccess(pmd) || (flags & GupFlags.FORCE) != 0)
                && (!write || mayWriteHuge(vma, pmd, flags, cowed))) {
            final long folio = HugePmd.frameNumber(pmd);
            result = pin && !write && mustUnshare(platform, folio)
                    ? MUST_UNSHARE
                    : folio + (addr >>> vma.space().pageShift() & frames.compoundFrames() - 1);
        }
        if (result >= 0) {
            if (reference && pin) {
                frames.pin(result);
            } else if (reference) {
                frames.get(result);
            }
            if (write && !HugePmd.isDirty(pmd)) {
                frames.markDirty(result);
            }
        }
        table.unlock(task, slot);
        return result;
    }

    /** can_follow_write_pte: a forced write may go to a page that is ours alone although its mapping forbids writing. */
    private static boolean mayWrite(final Vma vma, final long pte, final int flags, final boolean cowed) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        if (encoding.isWritable(pte)) {
            return true;
        }
        if ((flags & GupFlags.FORCE) == 0
                || !VmFlags.isCowMapping(vma.flags())
                || vma.has(VmFlags.WRITE)
                || encoding.isSpecial(pte)) {
            return false;
        }
        if (!platform.profile().hasAnonExclusive()) {
            return cowed && encoding.isDirty(pte); // FOLL_COW: our own write fault has just copied or reused it
        }
        final boolean ours =
                platform.frames().has(encoding.frameNumber(pte), FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);
        final boolean tracked = !vma.has(VmFlags.SOFTDIRTY) && !encoding.isSoftDirty(pte);
        return ours && !tracked && !(encoding.isUffdWp(pte) && vma.has(VmFlags.UFFD_WP));
    }

    /** can_follow_write_pmd: the same of a huge entry, which says of its first page what a single one would. */
    private static boolean mayWriteHuge(final Vma vma, final long pmd, final int flags, final boolean cowed) {
        final Platform platform = vma.space().platform();
        return !platform.hugeZero().is(HugePmd.frameNumber(pmd))
                && mayWrite(vma, HugePmd.leaf(platform.encoding(), pmd, 0, vma.protection()), flags, cowed);
    }

    /** gup_must_unshare: a pinned page that others still map could be copied away from under the pin. */
    private static boolean mustUnshare(final Platform platform, final long pfn) {
        return platform.profile().hasAnonExclusive()
                && platform.frames().has(pfn, FrameTable.ANON)
                && !platform.frames().has(pfn, FrameTable.ANON_EXCLUSIVE);
    }

    private static int faultFlags(final int flags, final boolean tried, final boolean unshare) {
        int fault = FaultFlags.REMOTE;
        if ((flags & GupFlags.WRITE) != 0) {
            fault |= FaultFlags.WRITE;
        }
        if ((flags & GupFlags.UNLOCKABLE) != 0) {
            fault |= FaultFlags.ALLOW_RETRY | FaultFlags.KILLABLE;
        }
        if (tried) {
            fault |= FaultFlags.TRIED;
        }
        return unshare ? fault | FaultFlags.UNSHARE : fault;
    }

    private static Errno errorOf(final int result) {
        if ((result & FaultResult.ERROR) == 0) {
            return Errno.OK;
        }
        if ((result & FaultResult.OOM) != 0) {
            return Errno.ENOMEM;
        }
        return (result & FaultResult.HWPOISON) != 0 ? Errno.EHWPOISON : Errno.EFAULT;
    }
}
