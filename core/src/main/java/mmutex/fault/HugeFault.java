package mmutex.fault;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.PmdSplitter;
import mmutex.mm.TransparentHugePages;
import mmutex.mm.Vma;

/**
 * A fault where no leaf table is: create_huge_pmd, and a fault on a huge entry: huge_pmd_set_accessed, wp_huge_pmd;
 * mm/memory.c, mm/huge_memory.c (6.12). Whatever can't be done with the huge page falls back to small ones.
 */
final class HugeFault {
    private HugeFault() {}

    /**
     * Handles a fault whose {@code slot} is none or huge.
     *
     * @return {@link FaultResult#FALLBACK}, or as {@link FaultHandler#handle}
     */
    static int handle(final FaultContext fault) {
        if (RadixTable.isHuge(fault.slot)) {
            return present(fault, RadixTable.hugeSlot(fault.slot));
        }
        return isAllowed(fault.vma, fault.addr) ? create(fault) : FaultResult.FALLBACK;
    }

    /** thp_vma_allowable_order, thp_vma_suitable_order: the policy, and room for a whole huge page in the VMA. */
    private static boolean isAllowed(final Vma vma, final long addr) {
        final TransparentHugePages policy = vma.space().platform().transparentHugePages();
        final boolean welcome = policy == TransparentHugePages.ALWAYS
                || policy == TransparentHugePages.MADVISE && vma.has(VmFlags.HUGEPAGE);
        if (!welcome || !vma.isAnonymous() || (vma.flags() & (VmFlags.NOHUGEPAGE | VmFlags.SHARED)) != 0) {
            return false;
        }
        final long size = vma.space().pageTable().hugeSize();
        final long start = addr & -size;
        return start >= vma.start() && start + size <= vma.end();
    }

    // ---- nothing there yet ----------------------------------------------------------------------------------

    /** do_huge_pmd_anonymous_page. No notification. */
    private static int create(final FaultContext fault) {
        // 1. A user fault handler gets its pages one by one.
        if (fault.vma.has(VmFlags.UFFD_MISSING)) {
            return FaultResult.FALLBACK;
        }
        // 2. Reads need the reverse map as well: the huge page of zeroes is mapped in its VMAs like any other.
        final int prepared = AnonPreparation.prepare(fault);
        if (prepared != FaultResult.DONE) {
            return prepared;
        }
        // 3. The page, and the table into which a later split will put its entries.
        final long folio = fault.isWrite()
                ? fault.platform.allocator().allocateCompoundZeroed()
                : fault.platform.hugeZero().get();
        if (folio == FrameAllocator.NONE) {
            return FaultResult.FALLBACK;
        }
        final long slot = fault.table.upperSlotOrCreate(fault.addr);
        final long deposit = slot == PageTable.NO_SLOT
                ? TableArena.NO_TABLE
                : fault.table.radix().allocateLeaf();
        if (deposit == TableArena.NO_TABLE) {
            drop(fault, folio);
            return FaultResult.OOM;
        }
        // 4. Under the lock: still nothing there? Others publish leaf tables without it, hence the compare-and-set.
        fault.table.lock(fault.task, slot);
        final boolean reaped = fault.table.loadUpper(slot) == 0 && fault.space.isUnstable();
        final boolean won = !reaped && fault.table.loadUpper(slot) == 0 && install(fault, slot, folio);
        if (won) {
            fault.platform.tables().deposit(slot, deposit);
        }
        fault.table.unlock(fault.task, slot);
        if (!won) {
            fault.platform.tables().free(deposit);
            drop(fault, folio);
        }
        // check_stable_address_space: what the reaper took must not come back as zeroes.
        return reaped ? FaultResult.SIGBUS : FaultResult.DONE;
    }

    /** Counts and maps the page, or leaves everything as it was. */
    private static boolean install(final FaultContext fault, final long slot, final long folio) {
        final PteEncoding encoding = fault.encoding;
        final long pte = encoding.present(folio, fault.vma.protection());
        if (!fault.isWrite()) {
            return fault.table.compareAndSetUpper(slot, 0, HugePmd.of(encoding, pte));
        }
        final long start = fault.addr & -fault.table.hugeSize();
        fault.space.reverseMap().addNewAnonEntire(folio, fault.vma, start);
        final long pmd = HugePmd.of(encoding, fault.maybeWritable(encoding.mkDirty(encoding.mkYoung(pte))));
        if (!fault.table.compareAndSetUpper(slot, 0, pmd)) {
            fault.space.reverseMap().removeEntire(folio);
            return false;
        }
        fault.space.anonPages().add(fault.platform.frames().compoundFrames());
        return true;
    }

    private static void drop(final FaultContext fault, final long folio) {
        if (!fault.platform.hugeZero().is(folio)) {
            fault.platform.allocator().put(folio);
        }
    }

    // ---- a huge entry ---------------------------------------------------------------------------------------

    private static int present(final FaultContext fault, final long slot) {
        // An entry that is being replaced reads as huge too; its lock says when that is done.
        final long original = fault.table.loadUpper(slot);
        if (!HugePmd.isHuge(original)) {
            return FaultResult.DONE;
        }
        if (fault.has(FaultFlags.WRITE | FaultFlags.UNSHARE) && !HugePmd.isWritable(original)) {
            if (fault.isWrite() && HugePmd.isUffdWp(original) && fault.vma.has(VmFlags.UFFD_WP)) {
                return UserFaultWait.handle(fault, true);
            }
            return HugeWriteFault.handle(fault, slot, original);
        }
        setAccessed(fault, slot, original);
        return FaultResult.DONE;
    }

    /** huge_pmd_set_accessed: hardware has not seen the last change yet. */
    private static void setAccessed(final FaultContext fault, final long slot, final long original) {
        fault.table.lock(fault.task, slot);
        if (fault.table.loadUpper(slot) == original) {
            // A failed compare-and-set means that hardware set a bit: then there is nothing left to do.
            fault.table.compareAndSetUpper(
                    slot, original, HugePmd.mkYoung(fault.isWrite() ? HugePmd.mkDirty(original) : original));
        }
        fault.table.unlock(fault.task, slot);
    }

    /** The entry can't be handled whole: single entries, then as everywhere. */
    static int fallBack(final FaultContext fault) {
        PmdSplitter.split(fault.task, fault.vma, fault.addr);
        return FaultResult.FALLBACK;
    }
}
