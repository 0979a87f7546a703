package mmutex.change;

import java.util.Arrays;
import mmutex.fault.FaultFlags;
import mmutex.fault.FaultHandler;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * Puts a huge page in the place of small ones: madvise_collapse, hpage_collapse_scan_pmd, collapse_huge_page;
 * mm/khugepaged.c (6.12), for private anonymous memory. Exclusive pages are given back to the CPUs first, each with its
 * own event; then one CLEAR over the whole range makes everybody let go, and the pages are copied.
 *
 * <p>While the pages are copied the upper entry is empty. Nobody publishes a table there: faults are held by the VMA's
 * lock, and reverse-map walks by the family's until the pages are locked and have no reference but their mappings.
 *
 * <p>Threads: any.
 */
public final class Collapser {
    private static final ActorLocal<Collapse> COLLAPSE = new ActorLocal<>(Collapse::new);

    /** VM_NO_KHUGEPAGED, and what says no. */
    private static final long NEVER_HUGE =
            VmFlags.NOHUGEPAGE | VmFlags.SHARED | VmFlags.IO | VmFlags.PFNMAP | VmFlags.MIXEDMAP | VmFlags.HUGETLB;

    private Collapser() {}

    /**
     * madvise_collapse: every whole huge range of a part of a VMA. The mmap lock is held shared; it is dropped meanwhile,
     * and held again at the end, but the VMA may be gone.
     *
     * @return OK; EINVAL where no huge page may be; else of the last range that failed: ENOMEM without a huge page, EAGAIN
     *     for pages that somebody else holds, EINVAL for ranges without table or without a writable page
     */
    static Errno collapse(final Task task, final Vma vma, final long from, final long to) {
        final AddressSpace space = vma.space();
        final long size = space.pageTable().hugeSize();
        if (!isEligible(vma)) {
            return Errno.EINVAL;
        }
        final long start = from + size - 1 & -size;
        final long end = to & -size;
        if (end < start) {
            return Errno.EINVAL; // not even the border between two
        }
        Scan failed = null;
        for (long addr = start; addr < end; addr += size) {
            final Scan result = collapseAt(task, space, addr);
            if (result != Scan.SUCCEED) {
                failed = result;
                if (!result.goesOn) {
                    break;
                }
            }
        }
        return failed == null ? Errno.OK : failed.errno;
    }

    /** One range, mmap lock held shared before and after. */
    private static Scan collapseAt(final Task task, final AddressSpace space, final long addr) {
        final Vma vma = revalidate(space, addr);
        if (vma == null) {
            return Scan.VMA_CHECK;
        }
        final Scan scanned = scan(task, vma, addr);
        if (scanned != Scan.SUCCEED) {
            return scanned == Scan.PMD_MAPPED ? Scan.SUCCEED : scanned;
        }
        space.mmapLock().readUnlock(task);
        final Scan result = collapseHugePage(task, space, addr);
        space.mmapLock().readLock(task);
        return result;
    }

    /**
     * thp_vma_allowable_order without regard to the policy: who asks for it gets it, where a whole huge page fits and
     * something has been written before. The kernel can collapse shmem as well.
     */
    private static boolean isEligible(final Vma vma) {
        final long size = vma.space().pageTable().hugeSize();
        final long last = vma.end() - size & -size;
        return (vma.flags() & NEVER_HUGE) == 0
                && last >= vma.start()
                && last + size <= vma.end()
                && vma.file() == null
                && vma.anonVma() != null;
    }

    /** hugepage_vma_revalidate: the VMA that can hold a huge page there, or null. */
    private static Vma revalidate(final AddressSpace space, final long addr) {
        final Vma vma = space.vmas().lookup(addr);
        final boolean fits = vma != null && addr + space.pageTable().hugeSize() <= vma.end() && isEligible(vma);
        return fits ? vma : null;
    }

    /**
     * What khugepaged does with a range that it thinks worth it, without a look beforehand. No lock is held.
     *
     * @param addr multiple of the huge page's size
     * @return whether a huge page is there now that was not before
     */
    public static boolean tryCollapse(final Task task, final AddressSpace space, final long addr) {
        return collapseHugePage(task, space, addr) == Scan.SUCCEED;
    }

    // ---- is it worth it? ------------------------------------------------------------------------------------

    /** hpage_collapse_scan_pmd: a first look; what it finds is checked again when nothing can change any more. */
    private static Scan scan(final Task task, final Vma vma, final long addr) {
        final PageTable table = vma.space().pageTable();
        final long upper = table.upperSlot(addr);
        final long pmd = upper == PageTable.NO_SLOT ? 0 : table.loadUpper(upper);
        if (pmd == 0) {
            return Scan.PMD_NULL;
        }
        if (HugePmd.isHuge(pmd)) {
            return Scan.PMD_MAPPED;
        }
        boolean writable = false;
        Scan result = Scan.SUCCEED;
        table.lock(task, pmd);
        for (int i = 0; i < pages(vma) && result == Scan.SUCCEED; i++) {
            final long pte = table.load(pmd + (long) i * Long.BYTES);
            result = scanEntry(vma, pte);
            writable |= vma.space().encoding().isPresent(pte)
                    && vma.space().encoding().isWritable(pte);
        }
        table.unlock(task, pmd);
        return result == Scan.SUCCEED && !writable ? Scan.PAGE_RO : result;
    }

    private static Scan scanEntry(final Vma vma, final long pte) {
        final PteEncoding encoding = vma.space().encoding();
        if (isNoneOrZero(encoding, pte)) {
            return vma.has(VmFlags.UFFD_MISSING) || vma.has(VmFlags.UFFD_WP) ? Scan.EXCEED_NONE_PTE : Scan.SUCCEED;
        }
        if (!encoding.isPresent(pte)) {
            return encoding.isSwapUffdWp(pte) ? Scan.PTE_UFFD_WP : Scan.SUCCEED;
        }
        final Scan refused = refusal(vma, pte);
        if (refused != Scan.SUCCEED) {
            return refused;
        }
        final FrameTable frames = vma.space().platform().frames();
        final long folio = frames.head(encoding.frameNumber(pte));
        return frames.has(folio, FrameTable.LOCKED) ? Scan.PAGE_LOCK : Scan.SUCCEED;
    }

    /** What speaks against a present entry's page. */
    private static Scan refusal(final Vma vma, final long pte) {
        final PteEncoding encoding = vma.space().encoding();
        final FrameTable frames = vma.space().platform().frames();
        if (encoding.isUffdWp(pte)) {
            return Scan.PTE_UFFD_WP;
        }
        if (encoding.isSpecial(pte)) {
            return Scan.PAGE_NULL;
        }
        final long folio = frames.head(encoding.frameNumber(pte));
        if (!frames.has(folio, FrameTable.ANON)) {
            return Scan.PAGE_ANON;
        }
        // is_refcount_suitable: a reference that is no mapping is somebody's who uses the page.
        return frames.refCount(folio) == frames.folioMapCount(folio) ? Scan.SUCCEED : Scan.PAGE_COUNT;
    }

    private static boolean isNoneOrZero(final PteEncoding encoding, final long pte) {
        return encoding.isNone(pte)
                || encoding.isPresent(pte) && encoding.frameNumber(pte) == FrameAllocator.ZERO_FRAME;
    }

    // ---- collapse_huge_page ---------------------------------------------------------------------------------

    private static Scan collapseHugePage(final Task task, final AddressSpace space, final long addr) {
        final FrameAllocator allocator = space.platform().allocator();
        // 1. The page, while no lock is held.
        final long folio = allocator.allocateCompound();
        if (folio == FrameAllocator.NONE) {
            return Scan.ALLOC_HUGE_PAGE_FAIL;
        }
        // 2. What is not present is brought in.
        Scan result = bringIn(task, space, addr);
        if (result == Scan.SUCCEED) {
            // 3. Alone with the mappings.
            space.mmapLock().writeLock(task);
            final Vma vma = revalidate(space, addr);
            result = vma == null || vma.anonVma() == null ? Scan.VMA_CHECK : replace(task, vma, addr, folio);
            space.mmapLock().writeUnlock(task);
        }
        if (result != Scan.SUCCEED) {
            allocator.put(folio);
        }
        return result;
    }

    /** __collapse_huge_page_swapin: faults that are not the task's own and so not counted. */
    private static Scan bringIn(final Task task, final AddressSpace space, final long addr) {
        space.mmapLock().readLock(task);
        final Vma vma = revalidate(space, addr);
        final PageTable table = space.pageTable();
        Scan result = vma == null ? Scan.VMA_CHECK : Scan.SUCCEED;
        for (int i = 0; result == Scan.SUCCEED && i < pages(vma); i++) {
            final long at = addr + i * space.pageSize();
            final long slot = table.slot(at);
            if (slot < 0) {
                result = Scan.PMD_NULL;
                break;
            }
            if (!space.encoding().isSwapForm(table.load(slot))) {
                continue;
            }
            final int fault = FaultHandler.handleUncounted(task, vma, at, FaultFlags.ALLOW_RETRY);
            if ((fault & FaultResult.RETRY) != 0) {
                return Scan.PAGE_LOCK; // the mmap lock has been dropped
            }
            result = (fault & FaultResult.ERROR) != 0 ? Scan.FAIL : Scan.SUCCEED;
        }
        space.mmapLock().readUnlock(task);
        return result;
    }

    /** The mmap lock is held for writing. */
    private static Scan replace(final Task task, final Vma vma, final long addr, final long folio) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final long upper = table.upperSlot(addr);
        final long leafTable = upper == PageTable.NO_SLOT ? 0 : table.loadUpper(upper);
        if (leafTable == 0 || HugePmd.isHuge(leafTable)) {
            return leafTable == 0 ? Scan.PMD_NULL : Scan.FAIL;
        }
        vma.lock().writeLock(task, space.mmapLock());
        final AnonVma family = vma.anonVma();
        family.lock().writeLock(task);
        final Collapse collapse = COLLAPSE.of(task);
        // 4. Devices let go; then no CPU finds the table any more, and those that had are done.
        final NotifierRange range = collapse.range.init(NotifierEvent.CLEAR, addr, addr + table.hugeSize());
        space.notifiers().start(task, range);
        table.lock(task, upper);
        table.getAndClearUpper(upper);
        space.windows().flush(task);
        table.unlock(task, upper);
        space.notifiers().end(task, range);
        // 5. Pages locked, none with a reference that is no mapping; or everything back.
        table.lock(task, leafTable);
        final Scan isolated = collapse.isolate(task, vma, leafTable);
        table.unlock(task, leafTable);
        if (isolated != Scan.SUCCEED) {
            collapse.unlockAll(task, space.platform());
            table.lock(task, upper);
            table.populate(upper, leafTable);
            table.unlock(task, upper);
            family.lock().writeUnlock(task);
            return isolated;
        }
        family.lock().writeUnlock(task);
        // 6. Contents, then the old mappings.
        copy(task, vma, leafTable, folio);
        collapse.unlockAll(task, space.platform());
        release(task, vma, leafTable);
        // 7. The old table is kept for the next split.
        final PteEncoding encoding = space.encoding();
        final long pte = encoding.mkDirty(encoding.mkYoung(encoding.present(folio, vma.protection())));
        final long pmd = HugePmd.of(encoding, vma.has(VmFlags.WRITE) ? encoding.mkWrite(pte) : pte);
        table.lock(task, upper);
        space.reverseMap().addNewAnonEntire(folio, vma, addr);
        space.platform().tables().deposit(upper, leafTable);
        final boolean installed = table.compareAndSetUpper(upper, 0, pmd);
        table.unlock(task, upper);
        if (!installed) {
            throw new IllegalStateException("a table was published under collapse: addr=0x" + Long.toHexString(addr));
        }
        return Scan.SUCCEED;
    }

    /** __collapse_huge_page_copy, first half. */
    private static void copy(final Task task, final Vma vma, final long leafTable, final long folio) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final FrameData data = platform.data();
        for (int i = 0; i < pages(vma); i++) {
            final long pte = vma.space().pageTable().load(leafTable + (long) i * Long.BYTES);
            if (isNoneOrZero(encoding, pte)) {
                data.clear(folio + i);
                vma.space().anonPages().add(1);
            } else {
                data.copyFrame(encoding.frameNumber(pte), folio + i);
            }
        }
    }

    /** Second half: nothing was in use since the flush, so frames are freed at once. */
    private static void release(final Task task, final Vma vma, final long leafTable) {
        final Platform platform = vma.space().platform();
        final PageTable table = vma.space().pageTable();
        for (int i = 0; i < pages(vma); i++) {
            table.lock(task, leafTable);
            final long pte = table.getAndClear(leafTable + (long) i * Long.BYTES);
            final boolean mapped = !isNoneOrZero(platform.encoding(), pte);
            final long pfn = mapped ? platform.encoding().frameNumber(pte) : FrameAllocator.NONE;
            if (mapped) {
                vma.space().reverseMap().remove(pfn);
            }
            table.unlock(task, leafTable);
            if (mapped) {
                platform.putPage(pfn);
            }
        }
    }

    private static int pages(final Vma vma) {
        return vma.space().platform().frames().compoundFrames();
    }

    /** enum scan_result: what a range came to. */
    private enum Scan {
        SUCCEED(Errno.OK, true),
        PMD_MAPPED(Errno.OK, true),
        PMD_NULL(Errno.EINVAL, true),
        PTE_NON_PRESENT(Errno.EINVAL, true),
        PTE_UFFD_WP(Errno.EINVAL, true),
        PAGE_RO(Errno.EINVAL, true),
        PAGE_NULL(Errno.EINVAL, true),
        PAGE_COUNT(Errno.EAGAIN, true),
        PAGE_LOCK(Errno.EAGAIN, true),
        PAGE_ANON(Errno.EINVAL, false),
        EXCEED_NONE_PTE(Errno.EBUSY, false),
        ALLOC_HUGE_PAGE_FAIL(Errno.ENOMEM, false),
        VMA_CHECK(Errno.EINVAL, false),
        FAIL(Errno.EINVAL, false);

        private final Errno errno;
        /** Whether the ranges behind are still tried. */
        private final boolean goesOn;

        Scan(final Errno errno, final boolean goesOn) {
            this.errno = errno;
            this.goesOn = goesOn;
        }
    }

    /** Scratch of one collapse: the event, and the folios that it has locked. */
    private static final class Collapse {
        private final NotifierRange range = new NotifierRange();
        private long[] locked = new long[512];
        private int count;

        /** __collapse_huge_page_isolate: leaf-table lock held. */
        private Scan isolate(final Task task, final Vma vma, final long leafTable) {
            final Platform platform = vma.space().platform();
            final PteEncoding encoding = platform.encoding();
            boolean writable = false;
            count = 0;
            for (int i = 0; i < pages(vma); i++) {
                final long pte = vma.space().pageTable().load(leafTable + (long) i * Long.BYTES);
                if (isNoneOrZero(encoding, pte)) {
                    continue;
                }
                if (!encoding.isPresent(pte)) {
                    return Scan.PTE_NON_PRESENT; // a device has made it exclusive again, say
                }
                final Scan refused = lock(task, vma, pte);
                if (refused != Scan.SUCCEED) {
                    return refused;
                }
                writable |= encoding.isWritable(pte);
            }
            return writable ? Scan.SUCCEED : Scan.PAGE_RO;
        }

        private Scan lock(final Task task, final Vma vma, final long pte) {
            final Platform platform = vma.space().platform();
            final long folio = platform.frames().head(platform.encoding().frameNumber(pte));
            if (platform.frames().isLarge(folio) && isOurs(folio)) {
                return Scan.SUCCEED;
            }
            if (!platform.pageLock().tryLock(task, folio)) {
                return Scan.PAGE_LOCK;
            }
            if (count == locked.length) {
                locked = Arrays.copyOf(locked, 2 * count);
            }
            locked[count++] = folio;
            return refusal(vma, pte);
        }

        /** compound_pagelist: whether another page of the folio has come by before. */
        private boolean isOurs(final long folio) {
            for (int i = 0; i < count; i++) {
                if (locked[i] == folio) {
                    return true;
                }
            }
            return false;
        }

        private void unlockAll(final Task task, final Platform platform) {
            for (int i = 0; i < count; i++) {
                platform.pageLock().unlock(task, locked[i]);
            }
            count = 0;
        }
    }
}
