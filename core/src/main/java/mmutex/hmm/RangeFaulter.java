package mmutex.hmm;

import java.util.Arrays;
import mmutex.fault.FaultFlags;
import mmutex.fault.FaultHandler;
import mmutex.fault.MigrationWait;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/**
 * hmm_range_fault, mm/hmm.c (6.12); semantics 3.19. The table there, by place of the page and request, is
 * {@link #page}.
 *
 * <p>Faulting takes every page from the failing one to the end of the current leaf table's chunk, with that page's
 * request, and then walks again (Q12): it may fault, and restore, more than was asked for.
 *
 * <p>Threads: any; the caller holds the mmap lock shared.
 */
public final class RangeFaulter {
    /** A walk's result besides errnos: go on. */
    private static final int WALKED = 0;
    /** Something was faulted in: walk again from there. */
    private static final int AGAIN = 1;

    private static final int FAIL_EFAULT = 2;
    private static final int FAIL_EPERM = 3;

    private static final int NEED_FAULT = 1;
    private static final int NEED_WRITE = 2;
    /** The page is being moved: wait, and look again. */
    private static final int NEED_WAIT = 4;

    private RangeFaulter() {}

    /**
     * Fills the request's answers.
     *
     * @return OK; EBUSY if the range was invalidated since the sample; EFAULT or EPERM if a requested page can't be had
     */
    public static Errno fault(final Task task, final HmmRange range) {
        long from = range.start;
        while (true) { // ends: each round faults in what stopped the one before, or finds the sequence moved
            if (range.guard.checkRetry(range.sequence)) {
                return Errno.EBUSY;
            }
            final long stopped = walk(task, range, from);
            switch (result(stopped)) {
                case WALKED:
                    return Errno.OK;
                case FAIL_EFAULT:
                    return Errno.EFAULT;
                case FAIL_EPERM:
                    return Errno.EPERM;
                default:
                    from = stopped & ~3L;
            }
        }
    }

    // A walk's outcome is the address where it stopped, page-aligned, with the result in the two low bits.

    private static int result(final long stopped) {
        return (int) stopped & 3;
    }

    private static long walk(final Task task, final HmmRange range, final long from) {
        final AddressSpace space = range.space;
        if (Long.compareUnsigned(from, space.addressLimit()) >= 0) {
            return unmapped(range, from, range.end); // addresses that no mapping can have, the highest bit perhaps set
        }
        long addr = from;
        while (addr < range.end) {
            final Vma vma = space.vmas().find(addr);
            final long outcome;
            final long next;
            if (vma == null || vma.start() > addr) {
                next = vma == null ? range.end : Math.min(range.end, vma.start());
                outcome = unmapped(range, addr, next);
            } else {
                next = Math.min(range.end, vma.end());
                outcome = mapped(task, range, vma, addr, next);
            }
            if (result(outcome) != WALKED) {
                return outcome;
            }
            addr = next;
        }
        return WALKED;
    }

    /** No VMA: an error where something was requested, else reported. */
    private static long unmapped(final HmmRange range, final long addr, final long end) {
        if (neededAnywhere(range, addr, end) != 0) {
            return addr | FAIL_EFAULT;
        }
        fill(range, addr, end, HmmFlags.ERROR);
        return WALKED;
    }

    private static long mapped(final Task task, final HmmRange range, final Vma vma, final long addr, final long end) {
        // 1. hmm_vma_walk_test: what a device can't reach at all.
        if ((vma.flags() & (VmFlags.IO | VmFlags.PFNMAP)) != 0 || !vma.has(VmFlags.READ)) {
            return unmapped(range, addr, end);
        }
        final AddressSpace space = range.space;
        final RadixTable radix = space.pageTable().radix();
        final int shift = space.pageShift();
        long at = addr;
        while (at < end) {
            final long page = at >>> shift;
            final long populated = radix.nextPopulated(page, end >>> shift);
            final long outcome;
            final long next;
            if (populated > page) {
                // 2. hmm_vma_walk_hole: no table.
                next = populated << shift;
                final int needed = neededAnywhere(range, at, next);
                if (needed != 0) {
                    return faultIn(task, vma, at, next, needed);
                }
                fill(range, at, next, 0);
                outcome = WALKED;
            } else {
                // 3. hmm_vma_walk_pmd: entry by entry.
                next = radix.leafEnd(page, end >>> shift) << shift;
                outcome = table(task, range, vma, at, next);
            }
            if (result(outcome) != WALKED) {
                return outcome;
            }
            at = next;
        }
        return WALKED;
    }

    private static long table(final Task task, final HmmRange range, final Vma vma, final long addr, final long end) {
        final AddressSpace space = range.space;
        long slot = space.pageTable().slot(addr);
        if (slot < 0) {
            return RadixTable.isHuge(slot)
                    ? huge(task, range, vma, addr, end, RadixTable.hugeSlot(slot))
                    : addr | AGAIN; // a huge entry, cleared meanwhile
        }
        for (long at = addr; at < end; at += space.pageSize(), slot += Long.BYTES) {
            // ORDER(hmm-lockless-read): an intended race; whatever changes the entry also moves the caller's sequence.
            final long pte = space.pageTable().load(slot);
            final int index = index(range, at);
            final int needed = page(range, space.encoding(), pte, index);
            if (needed == 0 && vma.has(VmFlags.HUGETLB) && (range.pfns[index] & HmmFlags.VALID) != 0) {
                range.pfns[index] |= HmmFlags.ofOrder(space.encoding().indexBits()); // hmm_vma_walk_hugetlb_entry
            }
            if (needed < 0) {
                return at | FAIL_EFAULT;
            }
            if (needed == NEED_WAIT) {
                MigrationWait.await(task, space, slot, pte);
                return at | AGAIN;
            }
            if (needed != 0) {
                return faultIn(task, vma, at, end, needed);
            }
        }
        return WALKED;
    }

    /** hmm_vma_handle_pmd: one answer for all pages under a huge entry. */
    private static long huge(
            final Task task, final HmmRange range, final Vma vma, final long addr, final long end, final long slot) {
        final AddressSpace space = range.space;
        final PageTable table = space.pageTable();
        final long pmd = table.loadUpper(slot); // ORDER(hmm-lockless-read): as in table
        if (!HugePmd.isHuge(pmd)) {
            return addr | AGAIN;
        }
        final long valid = HugePmd.isWritable(pmd) ? HmmFlags.VALID | HmmFlags.WRITE : HmmFlags.VALID;
        final long flags = HugePmd.isNoAccess(pmd)
                ? 0
                : valid | HmmFlags.ofOrder(space.platform().frames().compoundOrder());
        final int last = index(range, end);
        int needed = 0;
        for (int i = index(range, addr); i < last; i++) {
            needed |= needed(range, i, flags);
        }
        if (needed != 0) {
            return faultIn(task, vma, addr, end, needed);
        }
        long pfn = HugePmd.frameNumber(pmd) + ((addr & table.hugeSize() - 1) >>> space.pageShift());
        for (int i = index(range, addr); i < last; i++) {
            range.pfns[i] = pfn++ | flags;
        }
        return WALKED;
    }

    /**
     * hmm_vma_handle_pte: answers for one entry, or says what fault it needs; negative if it can't be had at all.
     */
    private static int page(final HmmRange range, final PteEncoding encoding, final long pte, final int index) {
        if (!encoding.isPresent(pte)) {
            return special(range, encoding, pte, index);
        }
        long flags = 0;
        if (!encoding.isNoAccess(pte)) {
            flags = encoding.isWritable(pte) ? HmmFlags.VALID | HmmFlags.WRITE : HmmFlags.VALID;
        }
        final int needed = needed(range, index, flags);
        if (needed == 0) {
            final long pfn = encoding.frameNumber(pte);
            final boolean hasRecord = !encoding.isSpecial(pte) || pfn == FrameAllocator.ZERO_FRAME;
            range.pfns[index] = hasRecord ? pfn | flags : HmmFlags.ERROR;
        }
        return needed;
    }

    private static int special(final HmmRange range, final PteEncoding encoding, final long pte, final int index) {
        final PteKind kind = encoding.kind(pte);
        if (kind.isDevicePrivate()) {
            final long pfn = encoding.swapFrameNumber(pte);
            final DeviceMemory memory = range.space.platform().deviceMemory(pfn);
            if (memory != null && memory.owner() == range.devicePrivateOwner) {
                // Whatever was requested: even a page that is not writable, for a write (Q12).
                range.pfns[index] = pfn | HmmFlags.VALID | (kind == PteKind.DEVICE_PRIVATE_WRITE ? HmmFlags.WRITE : 0);
                return 0;
            }
        }
        final int needed = needed(range, index, 0);
        if (needed == 0) {
            range.pfns[index] = 0;
            return 0;
        }
        if (kind.isMigration()) {
            return NEED_WAIT;
        }
        final boolean canBeHad =
                kind == PteKind.NONE || kind == PteKind.SWAP || kind.isDeviceExclusive() || kind.isDevicePrivate();
        return canBeHad ? needed : -1;
    }

    /** hmm_vma_fault: from the failing page to the end of the chunk, all with its request. */
    private static long faultIn(final Task task, final Vma vma, final long addr, final long end, final int needed) {
        int flags = FaultFlags.REMOTE;
        if ((needed & NEED_WRITE) != 0) {
            if (!vma.has(VmFlags.WRITE)) {
                return addr | FAIL_EPERM;
            }
            flags |= FaultFlags.WRITE;
        }
        for (long at = addr; at < end; at += vma.space().pageSize()) {
            if ((FaultHandler.handle(task, vma, at, flags) & FaultResult.ERROR) != 0) {
                return addr | FAIL_EFAULT;
            }
        }
        return addr | AGAIN;
    }

    /** hmm_range_need_fault: the strongest need of any page. */
    private static int neededAnywhere(final HmmRange range, final long addr, final long end) {
        int needed = 0;
        final int last = index(range, end);
        for (int i = index(range, addr); i < last; i++) {
            needed |= needed(range, i, 0);
        }
        return needed;
    }

    /** hmm_pte_need_fault. */
    private static int needed(final HmmRange range, final int index, final long flags) {
        final long request = range.pfns[index] & range.pfnFlagsMask | range.defaultFlags;
        if ((request & HmmFlags.REQ_FAULT) == 0) {
            return 0;
        }
        if ((request & HmmFlags.REQ_WRITE) != 0 && (flags & HmmFlags.WRITE) == 0) {
            return NEED_FAULT | NEED_WRITE;
        }
        return (flags & HmmFlags.VALID) == 0 ? NEED_FAULT : 0;
    }

    private static void fill(final HmmRange range, final long addr, final long end, final long value) {
        Arrays.fill(range.pfns, index(range, addr), index(range, end), value);
    }

    private static int index(final HmmRange range, final long addr) {
        return (int) (addr - range.start >>> range.space.pageShift());
    }
}
