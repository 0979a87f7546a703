package mmutex.change;

import mmutex.fault.ExclusiveRestorer;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * fork: dup_mmap, kernel/fork.c, and copy_page_range, mm/memory.c (6.12); semantics 3.13.
 *
 * <p>The parent's mmap lock is held for writing throughout, and each of its VMAs is write-locked before it is copied, so
 * no fault runs in the parent. Devices that hold pages are told by PROT_PAGE over the whole VMA; restoring an exclusive
 * entry inside that span sends no event of its own, so a driver must take PROT_PAGE as revoking atomic access.
 */
public final class Forker {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    /** Locks are not inherited, nor is a handler of user faults: he would have had to ask for it. */
    private static final long NOT_INHERITED = VmFlags.LOCKED | VmFlags.UFFD_MISSING | VmFlags.UFFD_WP;

    private Forker() {}

    /**
     * Copies the parent's mappings into a fresh, empty address space.
     *
     * @return OK; ENOMEM if frames or tables ran out, or if an exclusive page was locked by somebody else (the kernel's
     *     -EBUSY, which its callers turn into -ENOMEM: Q10). The caller tears the half-built child down; pages of the
     *     parent that were restored stay so.
     */
    public static Errno fork(final Task task, final AddressSpace parent, final AddressSpace child) {
        // 1. MM parent, then MM child.
        parent.mmapLock().writeLock(task);
        child.mmapLock().writeLock(task);
        Errno result = Errno.OK;
        for (final Vma vma : parent.vmas().snapshot()) {
            vma.lock().writeLock(task, parent.mmapLock());
            result = copyVma(task, parent, child, vma);
            if (result != Errno.OK) {
                break;
            }
        }
        child.mmapLock().writeUnlock(task);
        // 4. Whatever the result, write-protected entries must not live on in anybody's TLB.
        parent.windows().flush(task);
        parent.mmapLock().writeUnlock(task);
        return result;
    }

    private static Errno copyVma(final Task task, final AddressSpace parent, final AddressSpace child, final Vma vma) {
        if (vma.has(VmFlags.DONTCOPY)) {
            return Errno.OK;
        }
        final Vma copy = child.editor().copy(task, vma, vma.flags() & ~NOT_INHERITED);
        if (vma.has(VmFlags.WIPEONFORK)) {
            return Errno.OK; // a clean slate: neither pages nor anon_vma
        }
        child.reverseMap().fork(task, copy, vma);
        return needsCopy(vma) ? copyPages(task, parent, child, vma, copy) : Errno.OK;
    }

    /** vma_needs_copy: what faults could fill in again is left to them; a driver's pages, inserted once, are not such. */
    private static boolean needsCopy(final Vma vma) {
        return vma.anonVma() != null || (vma.flags() & (VmFlags.PFNMAP | VmFlags.MIXEDMAP)) != 0;
    }

    /** copy_page_range. */
    private static Errno copyPages(
            final Task task, final AddressSpace parent, final AddressSpace child, final Vma vma, final Vma copy) {
        final boolean cow = VmFlags.isCowMapping(vma.flags());
        final NotifierEvent event = vma.has(VmFlags.HUGETLB) ? NotifierEvent.CLEAR : NotifierEvent.PROTECTION_PAGE;
        final NotifierRange range = RANGE.of(task).init(event, vma.start(), vma.end());
        if (cow) {
            parent.notifiers().start(task, range);
        }
        final RadixTable radix = parent.pageTable().radix();
        final long endPage = vma.end() >>> parent.pageShift();
        Errno result = Errno.OK;
        long page = radix.nextPopulated(vma.start() >>> parent.pageShift(), endPage);
        while (page < endPage && result == Errno.OK) {
            final long tableEnd = radix.leafEnd(page, endPage);
            final boolean whole = HugePmds.splitUnlessWhole(task, parent, page, tableEnd);
            result = whole ? HugePmds.copy(task, vma, copy, page) : Errno.EAGAIN;
            if (result == Errno.EAGAIN) {
                result = copyTable(task, vma, copy, page, tableEnd);
            }
            page = radix.nextPopulated(tableEnd, endPage);
        }
        if (cow) {
            parent.notifiers().end(task, range);
        }
        return result;
    }

    /** copy_pte_range: child's leaf table locked first, then the parent's. */
    private static Errno copyTable(
            final Task task, final Vma vma, final Vma copy, final long firstPage, final long endPage) {
        final PageTable from = vma.space().pageTable();
        final PageTable to = copy.space().pageTable();
        final PteEncoding encoding = vma.space().encoding();
        final long firstTo = to.radix().slotOrCreate(firstPage);
        if (firstTo == PageTable.NO_SLOT) {
            return Errno.ENOMEM;
        }
        final long firstFrom = from.radix().slot(firstPage);
        to.lock(task, firstTo);
        from.lock(task, firstFrom);
        Errno result = Errno.OK;
        long anonPages = 0;
        for (long i = 0; i < endPage - firstPage; i++) {
            final long slot = firstFrom + i * Long.BYTES;
            final long pte = from.load(slot);
            if (encoding.isNone(pte)) {
                continue;
            }
            if (!encoding.isPresent(pte) && !copySpecial(task, vma, copy, slot, firstTo + i * Long.BYTES, pte)) {
                result = Errno.ENOMEM;
                break;
            }
            final boolean nowPresent = encoding.isPresent(from.load(slot));
            if (nowPresent) {
                final long copied = copyPresent(vma, copy, firstPage + i, slot, firstTo + i * Long.BYTES);
                if (copied < 0) {
                    result = Errno.ENOMEM;
                    break;
                }
                anonPages += copied;
            } else if (encoding.kind(pte) != PteKind.SWAP) {
                anonPages += countFilePage(copy, encoding.swapFrameNumber(pte)) ? 0 : 1;
            }
        }
        copy.space().anonPages().add(anonPages);
        from.unlock(task, firstFrom);
        to.unlock(task, firstTo);
        return result;
    }

    /** copy_nonpresent_pte; false if the page lock of an exclusive page could not be had (-EBUSY). */
    private static boolean copySpecial(
            final Task task, final Vma vma, final Vma copy, final long slot, final long childSlot, final long pte) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final PteKind kind = encoding.kind(pte);
        if (kind.isDevicePrivate()) {
            DeviceEntries.forkPrivate(vma, copy, slot, childSlot, pte);
            return true;
        }
        if (kind == PteKind.SWAP) {
            SwapEntries.fork(vma, copy, slot, childSlot, pte);
            return true;
        }
        if (kind.isMigration()) {
            DeviceEntries.forkMigration(vma, copy, slot, childSlot, pte);
            return true;
        }
        if (!kind.isDeviceExclusive()) {
            throw new IllegalStateException("no operation of this emulator makes such entries yet: kind=" + kind);
        }
        if (platform.profile().forkExclusive() == ForkExclusive.RESTORE_BY_TRYLOCK) {
            return ExclusiveRestorer.tryRestoreForFork(task, vma, slot, pte);
        }
        // V3: both sides keep a readable entry, the child's with a reference of its own.
        platform.frames().get(encoding.swapFrameNumber(pte));
        final long readable = encoding.downgradeExclusive(pte);
        vma.space().pageTable().store(slot, readable);
        copy.space()
                .pageTable()
                .store(childSlot, copy.has(VmFlags.UFFD_WP) ? readable : encoding.clearSwapUffdWp(readable));
        return true;
    }

    /**
     * copy_present_pte: shared read-only by both, old in the child; returns the anonymous pages the child got, -1 without
     * frames.
     */
    private static long copyPresent(
            final Vma vma, final Vma copy, final long page, final long slot, final long childSlot) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final PageTable table = vma.space().pageTable();
        long pte = table.load(slot);
        if (!vma.has(VmFlags.HUGETLB) && isPinnedByOwner(platform, pte)) {
            return copyPinned(copy, page << platform.encoding().pageShift(), childSlot, pte);
        }
        if (VmFlags.isCowMapping(vma.flags())) {
            // The entry is valid: hardware may set young or dirty until it is write-protected.
            while (encoding.isWritable(pte) && !table.compareAndSet(slot, pte, encoding.wrProtect(pte))) {
                pte = table.load(slot);
            }
            pte = encoding.wrProtect(pte);
        }
        final boolean zero = encoding.isSpecial(pte);
        if (!zero) {
            final long pfn = encoding.frameNumber(pte);
            platform.frames().get(pfn);
            vma.space().reverseMap().add(pfn);
            platform.frames().clearBits(pfn, FrameTable.ANON_EXCLUSIVE);
        }
        long childPte = encoding.mkOld(pte);
        if (!copy.has(VmFlags.UFFD_WP)) {
            childPte = encoding.clearUffdWp(childPte);
        }
        copy.space().pageTable().store(childSlot, childPte);
        return zero || countFilePage(copy, encoding.frameNumber(pte)) ? 0 : 1;
    }

    /** Counts a page that is not anonymous memory where it belongs; a huge page nowhere. False for all others. */
    private static boolean countFilePage(final Vma copy, final long pfn) {
        final boolean file = copy.space().platform().frames().has(pfn, FrameTable.FILE);
        if (file) {
            copy.space().rss(pfn).add(1);
        }
        return file || copy.has(VmFlags.HUGETLB);
    }

    /** folio_needs_cow_for_dma: somebody reads or writes the page through a pin; it must stay the parent's alone. */
    private static boolean isPinnedByOwner(final Platform platform, final long pte) {
        final PteEncoding encoding = platform.encoding();
        return !encoding.isSpecial(pte)
                && platform.frames().isMaybePinned(encoding.frameNumber(pte))
                && platform.frames().has(encoding.frameNumber(pte), FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);
    }

    /** copy_present_page: the child gets its copy now; the parent's entry stays as it is. */
    private static long copyPinned(final Vma copy, final long addr, final long childSlot, final long pte) {
        final Platform platform = copy.space().platform();
        final PteEncoding encoding = platform.encoding();
        final long fresh = platform.allocator().allocate();
        if (fresh == FrameAllocator.NONE) {
            return -1;
        }
        platform.data().copyFrame(encoding.frameNumber(pte), fresh);
        final PageTable table = copy.space().pageTable();
        copy.space().reverseMap().addNewAnon(fresh, copy, addr);
        long childPte = encoding.mkDirty(encoding.present(fresh, copy.protection()));
        if (copy.has(VmFlags.WRITE)) {
            childPte = encoding.mkWrite(childPte);
        }
        table.store(
                childSlot,
                copy.has(VmFlags.UFFD_WP) && encoding.isUffdWp(pte) ? encoding.mkUffdWp(childPte) : childPte);
        return 1;
    }
}
