package mmutex.change;

import java.util.function.LongUnaryOperator;
import mmutex.change.Protector.Request;
import mmutex.layout.HugePmd;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.PmdSplitter;
import mmutex.mm.SemanticProfile.MprotectUpgrade;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.mm.WriteUpgrade;

/**
 * Changes of huge entries as wholes: zap_huge_pmd, change_huge_pmd, copy_huge_pmd, move_huge_pmd; mm/huge_memory.c
 * (6.12). Whoever changes only a part of what such an entry maps splits it first ({@link #splitUnlessWhole}).
 *
 * <p>Threads: any; the caller has opened the notifier span, if the change has one, and holds the mmap lock.
 */
final class HugePmds {
    private HugePmds() {}

    /**
     * Whether a range of pages that a walk is about to change is covered by a huge entry whole, so that it can be changed
     * as it is. One that reaches beyond the range is split.
     */
    static boolean splitUnlessWhole(final Task task, final AddressSpace space, final long first, final long end) {
        if (!RadixTable.isHuge(space.pageTable().radix().slot(first))) {
            return false;
        }
        if (end - first == space.platform().frames().compoundFrames()) {
            return true;
        }
        final long addr = first << space.pageShift();
        PmdSplitter.split(task, space.vmas().find(addr), addr);
        return false;
    }

    /**
     * zap_huge_pmd: clears the entry.
     *
     * @return the folio that it mapped, still counted and referenced until the caller has flushed and calls
     *     {@link #release}; NONE if there is none
     */
    static long zap(final Task task, final AddressSpace space, final long firstPage) {
        final Platform platform = space.platform();
        final PageTable table = space.pageTable();
        final long slot = table.radix().upperSlot(firstPage);
        long folio = FrameAllocator.NONE;
        table.lock(task, slot);
        if (HugePmd.isHuge(table.loadUpper(slot))) {
            // A valid entry may gain bits until it is cleared.
            folio = HugePmd.frameNumber(table.getAndClearUpper(slot));
            PmdSplitter.dropDeposit(platform, slot);
            if (!platform.hugeZero().is(folio)) {
                space.anonPages().add(-platform.frames().compoundFrames());
            }
        }
        table.unlock(task, slot);
        return folio;
    }

    /** Uncounts and frees what {@link #zap} has returned, after the shoot-down. */
    static void release(final AddressSpace space, final long folio) {
        if (!space.platform().hugeZero().is(folio)) {
            space.reverseMap().removeEntire(folio);
            space.platform().allocator().put(folio);
        }
    }

    /** change_huge_pmd: the VMA's present protection; a shoot-down is due. False if the entry is not huge any more. */
    static boolean protect(final Task task, final Vma vma, final long firstPage, final Request request) {
        return change(task, vma.space(), firstPage, pmd -> changed(vma, pmd, request));
    }

    private static long changed(final Vma vma, final long pmd, final Request request) {
        long changed = HugePmd.modify(vma.space().encoding(), pmd, vma.protection());
        if (request == Request.WRITE_PROTECT) {
            return HugePmd.mkUffdWp(changed);
        }
        if (request == Request.RESOLVE) {
            changed = HugePmd.clearUffdWp(changed);
        }
        final boolean upgrade = vma.space().platform().profile().mprotectUpgrade() == MprotectUpgrade.ALWAYS
                && vma.has(VmFlags.WRITE)
                && !HugePmd.isWritable(changed)
                && WriteUpgrade.isPossibleHuge(vma, changed);
        return upgrade ? HugePmd.mkWrite(changed) : changed;
    }

    /**
     * copy_huge_pmd, for fork: both sides read-only, the child's entry old. Both mmap locks are held for writing, so nobody
     * but a reverse-map walk can split the entry. The child's table is locked first.
     *
     * @return OK; ENOMEM; EAGAIN if there are single entries to be copied: somebody has split the folio, or has pinned it,
     *     so that the child must get copies
     */
    static Errno copy(final Task task, final Vma vma, final Vma copy, final long firstPage) {
        final Platform platform = vma.space().platform();
        final PageTable from = vma.space().pageTable();
        final PageTable to = copy.space().pageTable();
        final long seen = from.loadUpper(from.radix().upperSlot(firstPage));
        if (HugePmd.isHuge(seen) && isPinnedByOwner(platform, HugePmd.frameNumber(seen))) {
            PmdSplitter.split(task, vma, firstPage << vma.space().pageShift());
            return Errno.EAGAIN;
        }
        final long childSlot = to.radix().upperSlotOrCreate(firstPage);
        final long deposit = childSlot == PageTable.NO_SLOT
                ? TableArena.NO_TABLE
                : to.radix().allocateLeaf();
        if (deposit == TableArena.NO_TABLE) {
            return Errno.ENOMEM;
        }
        final long slot = from.radix().upperSlot(firstPage);
        to.lock(task, childSlot);
        from.lock(task, slot);
        long pmd = from.loadUpper(slot);
        if (!HugePmd.isHuge(pmd)) {
            from.unlock(task, slot);
            to.unlock(task, childSlot);
            platform.tables().free(deposit);
            return Errno.EAGAIN;
        }
        final long folio = HugePmd.frameNumber(pmd);
        if (!platform.hugeZero().is(folio)) {
            platform.frames().get(folio);
            platform.frames().clearBits(folio, FrameTable.ANON_EXCLUSIVE);
            vma.space().reverseMap().addEntire(folio);
            copy.space().anonPages().add(platform.frames().compoundFrames());
        }
        while (!from.compareAndSetUpper(slot, pmd, HugePmd.wrProtect(pmd))) { // hardware has set a bit meanwhile
            pmd = from.loadUpper(slot);
        }
        final long old = HugePmd.mkOld(HugePmd.wrProtect(pmd));
        platform.tables().deposit(childSlot, deposit);
        to.compareAndSetUpper(childSlot, 0, copy.has(VmFlags.UFFD_WP) ? old : HugePmd.clearUffdWp(old));
        from.unlock(task, slot);
        to.unlock(task, childSlot);
        return Errno.OK;
    }

    private static boolean isPinnedByOwner(final Platform platform, final long folio) {
        return platform.frames().isMaybePinned(folio)
                && platform.frames().has(folio, FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);
    }

    /** MADV_COLD: old. False if the entry is not huge any more. */
    static boolean cool(final Task task, final AddressSpace space, final long firstPage) {
        return change(task, space, firstPage, HugePmd::mkOld);
    }

    /** clear_soft_dirty_pmd: the next write takes a fault. False if the entry is not huge any more. */
    static boolean clearSoftDirty(final Task task, final AddressSpace space, final long firstPage) {
        return change(task, space, firstPage, pmd -> HugePmd.clearSoftDirty(HugePmd.wrProtect(pmd)));
    }

    private static boolean change(
            final Task task, final AddressSpace space, final long firstPage, final LongUnaryOperator changed) {
        final PageTable table = space.pageTable();
        final long slot = table.radix().upperSlot(firstPage);
        table.lock(task, slot);
        long pmd = table.loadUpper(slot);
        while (HugePmd.isHuge(pmd) && !table.compareAndSetUpper(slot, pmd, changed.applyAsLong(pmd))) {
            pmd = table.loadUpper(slot); // hardware has set a bit meanwhile
        }
        table.unlock(task, slot);
        return HugePmd.isHuge(pmd);
    }

    /** madvise_free_huge_pmd: clean and old, if it is ours alone; returns whether a shoot-down is due. */
    static boolean lazyFree(final Task task, final AddressSpace space, final long firstPage) {
        final Platform platform = space.platform();
        final FrameTable frames = platform.frames();
        final PageTable table = space.pageTable();
        final long slot = table.radix().upperSlot(firstPage);
        boolean freed = false;
        table.lock(task, slot);
        long pmd = table.loadUpper(slot);
        final long folio = HugePmd.frameNumber(pmd);
        // Under the table's lock only by trylock.
        if (HugePmd.isHuge(pmd)
                && !platform.hugeZero().is(folio)
                && frames.folioMapCount(folio) == 1
                && platform.pageLock().tryLock(task, folio)) {
            freed = frames.folioMapCount(folio) == 1;
            if (freed) {
                frames.clearBits(folio, FrameTable.DIRTY);
                frames.setBits(folio, FrameTable.LAZY_FREE);
            }
            platform.pageLock().unlock(task, folio);
        }
        while (freed && !table.compareAndSetUpper(slot, pmd, HugePmd.mkOld(HugePmd.mkClean(pmd)))) {
            pmd = table.loadUpper(slot);
        }
        table.unlock(task, slot);
        return freed;
    }

    /**
     * move_huge_pmd, for mremap: the entry goes to another, empty place as it is, but soft-dirty. The mmap lock is held for
     * writing, so the order of the two table locks does not matter; and the family's, so that a reverse-map walk finds the
     * page in one place or the other.
     *
     * @return whether it was moved; false if the entry is not huge, or if something is in the new place
     */
    static boolean move(final Task task, final AddressSpace space, final long fromPage, final long toPage) {
        final PageTable table = space.pageTable();
        final TableArena tables = space.platform().tables();
        final long from = table.radix().upperSlot(fromPage);
        final long to = table.radix().upperSlotOrCreate(toPage);
        if (to == PageTable.NO_SLOT || table.loadUpper(to) != 0) {
            return false;
        }
        final boolean sameLock = space.platform().pteLock().isSameLock(from, to);
        table.lock(task, from);
        if (!sameLock) {
            table.lock(task, to);
        }
        final boolean huge = HugePmd.isHuge(table.loadUpper(from));
        if (huge) {
            tables.deposit(to, tables.withdraw(from));
            final long pmd = table.getAndClearUpper(from);
            space.windows().flush(task);
            table.compareAndSetUpper(to, 0, HugePmd.mkSoftDirty(pmd));
        }
        if (!sameLock) {
            table.unlock(task, to);
        }
        table.unlock(task, from);
        return huge;
    }
}
