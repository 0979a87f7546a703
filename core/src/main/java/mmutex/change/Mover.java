package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.PmdSplitter;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * mremap that moves pages to a given address: mm/mremap.c (6.12, 7.3), semantics 3.16.
 *
 * <p>Entries of any kind, exclusive ones included, move bit for bit but for soft-dirty, which is set. The event covers the
 * old range only; an exclusive entry arrives at its new address without a device mapping (an orphan), and a fault there
 * restores it, since the page's linear index has not changed.
 */
public final class Mover {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private Mover() {}

    /**
     * Moves a range (MREMAP_MAYMOVE | MREMAP_FIXED). What is mapped at the destination goes first, and is gone even if the
     * move is then refused.
     *
     * @param length bytes, rounded up to pages
     * @param keepOld the old range stays mapped, empty (MREMAP_DONTUNMAP)
     * @return OK; EINVAL for misaligned, empty or overlapping ranges, and for hugetlb mappings in early kernels; EFAULT if
     *     the range isn't mapped, or spans VMAs and the kernel can't move several; ENOMEM if tables ran out, the pages then
     *     being where they were
     */
    public static Errno move(
            final Task task,
            final AddressSpace space,
            final long from,
            final long length,
            final long to,
            final boolean keepOld) {
        final long size = Ranges.pageAligned(space, length);
        if ((from & space.pageSize() - 1) != 0 || size <= 0) {
            return Errno.EINVAL;
        }
        final Errno refused = check(space, from, size, to);
        final boolean many = space.platform().profile().mremapMovesManyVmas();
        if (many && refused != Errno.OK) {
            return refused;
        }
        space.mmapLock().writeLock(task);
        final Errno result;
        if (space.vmas().lookup(from) == null) {
            result = Errno.EFAULT;
        } else if (refused != Errno.OK) {
            result = refused;
        } else {
            result = many
                    ? moveMany(task, space, from, size, to, keepOld)
                    : moveOne(task, space, from, size, to, keepOld);
        }
        space.mmapLock().writeUnlock(task);
        return result;
    }

    private static Errno check(final AddressSpace space, final long from, final long size, final long to) {
        final boolean inside = to >= 0 && size <= space.addressLimit() && to <= space.addressLimit() - size;
        final boolean overlap = from + size > to && to + size > from;
        return (to & space.pageSize() - 1) != 0 || !inside || overlap ? Errno.EINVAL : Errno.OK;
    }

    /** remap_move (6.17): VMA by VMA, keeping the gaps between them. */
    private static Errno moveMany(
            final Task task,
            final AddressSpace space,
            final long from,
            final long size,
            final long to,
            final boolean keepOld) {
        final long end = from + size;
        long addr = from;
        while (addr < end) { // addr moves past one VMA a round
            final Vma vma = space.vmas().find(addr);
            if (vma == null || vma.start() >= end) {
                break;
            }
            final long start = Math.max(vma.start(), addr);
            final long next = Math.min(vma.end(), end);
            final boolean single = vma.has(VmFlags.UFFD_WP) || vma.has(VmFlags.UFFD_MISSING);
            if (single && (start > from || vma.end() < end)) {
                return Errno.EFAULT;
            }
            final Errno result = moveOne(task, space, start, next - start, to + (start - from), keepOld);
            if (result != Errno.OK) {
                return result;
            }
            addr = next;
        }
        return Errno.OK;
    }

    /** mremap_to. */
    private static Errno moveOne(
            final Task task,
            final AddressSpace space,
            final long from,
            final long size,
            final long to,
            final boolean keepOld) {
        final Vma source = space.vmas().lookup(from);
        if (source != null
                && source.has(VmFlags.HUGETLB)
                && space.platform().profile().hugetlbMovesAndDiscards()) {
            // Huge page by huge page: what is wrong with that is found out before anything is done.
            final long huge = space.platform().hugePages().pageSize();
            return ((from | to) & huge - 1) != 0
                    ? Errno.EINVAL
                    : moveAligned(task, space, from, size + huge - 1 & -huge, to, keepOld);
        }
        return moveAligned(task, space, from, size, to, keepOld);
    }

    private static Errno moveAligned(
            final Task task,
            final AddressSpace space,
            final long from,
            final long size,
            final long to,
            final boolean keepOld) {
        // 1. The destination is emptied before anybody looks whether the move is possible.
        final Errno emptied = Mapper.unmapLocked(task, space, to, to + size);
        if (emptied != Errno.OK) {
            return emptied;
        }
        // 2. vma_to_resize: one VMA, from end to end of the range.
        final Vma vma = space.vmas().lookup(from);
        if (vma == null) {
            return Errno.EFAULT;
        }
        final boolean hugetlb = vma.has(VmFlags.HUGETLB);
        if (keepOld && (hugetlb || vma.has(VmFlags.PFNMAP))
                || hugetlb && !space.platform().profile().hugetlbMovesAndDiscards()) {
            return Errno.EINVAL;
        }
        if (size > vma.end() - from) {
            return Errno.EFAULT;
        }
        return moveVma(task, vma, from, size, to, keepOld);
    }

    /** move_vma. */
    private static Errno moveVma(
            final Task task, final Vma vma, final long from, final long size, final long to, final boolean keepOld) {
        final AddressSpace space = vma.space();
        vma.lock().writeLock(task, space.mmapLock());
        // Shared frames stay where they were found; what moves becomes the process's own.
        if (vma.has(VmFlags.MERGEABLE)) {
            final Errno unmerged = SamePageMerger.unmerge(task, vma, from, from + size);
            if (unmerged != Errno.OK) {
                return unmerged;
            }
        }
        // 3. A VMA at the new place.
        final Vma moved = space.editor().copyRange(task, vma, from, size, to);
        // A range that has no pages yet may have become part of its own source, grown.
        final Vma source = space.vmas().lookup(from);
        if (moved.has(VmFlags.LOCKED)) {
            space.lockedPages().add(size >>> space.pageShift());
        }
        // 4. The entries; if tables run out they move back, and the new VMA goes.
        if (!moveTables(task, source, from, moved, to, size)) {
            moveTables(task, moved, to, source, from, size);
            Mapper.unmapLocked(task, space, to, to + size);
            return Errno.ENOMEM;
        }
        // mremap_userfaultfd_prep: a handler has to ask for moves, and none can here.
        if (moved.userFaults() != null) {
            space.editor().dropUserFaults(task, moved);
        }
        if (!keepOld) {
            // 5. The emptied range goes, with an event of its own.
            Mapper.unmapLocked(task, space, from, from + size);
            return Errno.OK;
        }
        // 5. Or stays, no longer locked, and without a reverse map that nothing belongs to any more.
        if (source.has(VmFlags.LOCKED)) {
            space.lockedPages().add(-(size >>> space.pageShift()));
            space.editor().changeFlags(task, source, source.flags() & ~VmFlags.LOCKED);
        }
        if (source != moved && source.start() == from && source.end() == from + size) {
            space.editor().forgetPages(task, source);
        }
        return Errno.OK;
    }

    /** move_page_tables; false if a table could not be had, with the pages before it moved. */
    private static boolean moveTables(
            final Task task, final Vma vma, final long from, final Vma target, final long to, final long size) {
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final NotifierRange range = RANGE.of(task).init(NotifierEvent.UNMAP, from, from + size);
        space.notifiers().start(task, range);
        final long firstPage = from >>> space.pageShift();
        final long endPage = firstPage + (size >>> space.pageShift());
        final long distance = (to >>> space.pageShift()) - firstPage;
        boolean complete = true;
        long page = radix.nextPopulated(firstPage, endPage);
        while (complete && page < endPage) {
            // As far as one table reaches on both sides.
            final long tableEnd = radix.leafEnd(page, endPage);
            final long extent = Math.min(tableEnd, radix.leafEnd(page + distance, endPage + distance) - distance);
            if (moveHuge(task, vma, page, page + distance, extent - page)) {
                page = radix.nextPopulated(extent, endPage);
                continue;
            }
            final long targetSlot = radix.slotOrCreate(page + distance);
            complete = targetSlot != PageTable.NO_SLOT;
            if (complete) {
                moveTable(task, vma, radix.slot(page), target, targetSlot, extent - page);
                page = radix.nextPopulated(extent, endPage);
            }
        }
        space.notifiers().end(task, range);
        return complete;
    }

    /** A huge entry goes as it is if all of it goes, to a place that can take it; else it is split, and false returned. */
    private static boolean moveHuge(
            final Task task, final Vma vma, final long page, final long targetPage, final long count) {
        final AddressSpace space = vma.space();
        if (!RadixTable.isHuge(space.pageTable().radix().slot(page))) {
            return false;
        }
        boolean moved = false;
        if (count == space.platform().frames().compoundFrames()) {
            if (vma.anonVma() != null) {
                vma.anonVma().lock().writeLock(task);
            }
            moved = HugePmds.move(task, space, page, targetPage);
            if (vma.anonVma() != null) {
                vma.anonVma().lock().writeUnlock(task);
            }
        }
        if (!moved) {
            PmdSplitter.split(task, vma, page << space.pageShift());
        }
        return moved;
    }

    /**
     * move_ptes. The locks of file and family keep truncation and reverse-map walks from looking at the new place before,
     * and at the old place after the move (take_rmap_locks). Old table's lock first, then the new one's: mmap write
     * excludes others that take two.
     */
    private static void moveTable(
            final Task task,
            final Vma vma,
            final long slot,
            final Vma target,
            final long targetSlot,
            final long count) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final boolean hasFamily = vma.anonVma() != null;
        if (vma.file() != null) {
            vma.file().lock().writeLock(task);
        }
        if (hasFamily) {
            vma.anonVma().lock().writeLock(task);
        }
        final boolean twoLocks = !space.platform().pteLock().isSameLock(slot, targetSlot);
        table.lock(task, slot);
        if (twoLocks) {
            table.lock(task, targetSlot);
        }
        boolean flush = false;
        for (long offset = 0; offset < count * Long.BYTES; offset += Long.BYTES) {
            flush |= moveEntry(vma, slot + offset, targetSlot + offset);
        }
        if (flush) {
            space.windows().flush(task);
        }
        if (twoLocks) {
            table.unlock(task, targetSlot);
        }
        table.unlock(task, slot);
        if (hasFamily) {
            vma.anonVma().lock().writeUnlock(task);
        }
        if (vma.file() != null) {
            vma.file().lock().writeUnlock(task);
        }
    }

    /** Returns whether the entry was a translation, which CPUs may still be using. */
    private static boolean moveEntry(final Vma vma, final long slot, final long targetSlot) {
        final PageTable table = vma.space().pageTable();
        final PteEncoding encoding = vma.space().encoding();
        if (encoding.isNone(table.load(slot))) {
            return false;
        }
        final long pte = table.getAndClear(slot);
        final boolean present = encoding.isPresent(pte);
        long moved = present ? encoding.mkSoftDirty(pte) : encoding.mkSwapSoftDirty(pte);
        if (vma.userFaults() != null) { // the handler's marks stay behind with him
            moved = present ? encoding.clearUffdWp(moved) : encoding.clearSwapUffdWp(moved);
        }
        table.store(targetSlot, moved);
        return present;
    }
}
