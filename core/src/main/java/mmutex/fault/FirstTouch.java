package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.RadixTable;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;

/** A page that was never touched: do_anonymous_page, mm/memory.c (6.12), semantics 3.3. No notification. */
final class FirstTouch {
    private FirstTouch() {}

    static int handle(final FaultContext fault) {
        if (fault.vma.has(VmFlags.SHARED)) {
            return FaultResult.SIGBUS; // shared memory has a file
        }
        // 1. The leaf table must exist before its lock can.
        fault.slot = fault.table.slotOrCreate(fault.addr);
        if (fault.slot == PageTable.NO_SLOT) {
            return FaultResult.OOM;
        }
        if (RadixTable.isHuge(fault.slot)) {
            return FaultResult.DONE; // somebody has mapped a huge page meanwhile: look again
        }
        return fault.isWrite() ? write(fault) : read(fault);
    }

    /** Reads share the zero frame, read-only and uncounted. */
    private static int read(final FaultContext fault) {
        final PteEncoding encoding = fault.encoding;
        final long pte = encoding.mkSpecial(encoding.present(FrameAllocator.ZERO_FRAME, fault.vma.protection()));
        fault.table.lock(fault.task, fault.slot);
        final Outcome outcome = outcome(fault);
        if (outcome == Outcome.MAP) {
            fault.table.store(fault.slot, pte);
        }
        fault.table.unlock(fault.task, fault.slot);
        return result(fault, outcome);
    }

    private static int write(final FaultContext fault) {
        // 2. The VMA's reverse-map object, then a zeroed frame, before any spin lock.
        final int prepared = AnonPreparation.prepare(fault);
        if (prepared != FaultResult.DONE) {
            return prepared;
        }
        final FrameAllocator allocator = fault.platform.allocator();
        final long pfn = allocator.allocateZeroed();
        if (pfn == FrameAllocator.NONE) {
            return FaultResult.OOM;
        }
        final PteEncoding encoding = fault.encoding;
        long pte = encoding.mkYoung(encoding.present(pfn, fault.vma.protection()));
        if (fault.vma.has(VmFlags.WRITE)) {
            pte = encoding.mkWrite(encoding.mkDirty(pte));
        }
        // 3. Under the lock: still nothing there? Then count, map, publish (O2: contents before the entry).
        fault.table.lock(fault.task, fault.slot);
        final Outcome outcome = outcome(fault);
        final boolean won = outcome == Outcome.MAP;
        if (won) {
            fault.space.anonPages().add(1);
            fault.space.reverseMap().addNewAnon(pfn, fault.vma, fault.addr);
            fault.table.store(fault.slot, pte);
        }
        fault.table.unlock(fault.task, fault.slot);
        if (!won) {
            allocator.put(pfn);
        }
        return result(fault, outcome);
    }

    /** What is to become of a page that nobody had touched when the fault began. */
    private enum Outcome {
        /** Map it. */
        MAP,
        /** Somebody else has: look again. */
        LOST,
        /** check_stable_address_space: what the reaper took must not come back as zeroes. */
        REAPED,
        /** A user's handler decides; it is asked only after everything else has been seen to. */
        HANDLED
    }

    /** Leaf-table lock held. */
    private static Outcome outcome(final FaultContext fault) {
        if (!fault.encoding.isNone(fault.table.load(fault.slot))) {
            return Outcome.LOST;
        }
        if (fault.space.isUnstable()) {
            return Outcome.REAPED;
        }
        return fault.vma.has(VmFlags.UFFD_MISSING) ? Outcome.HANDLED : Outcome.MAP;
    }

    private static int result(final FaultContext fault, final Outcome outcome) {
        switch (outcome) {
            case REAPED:
                return FaultResult.SIGBUS;
            case HANDLED:
                return UserFaultWait.handle(fault, false);
            default:
                return FaultResult.DONE;
        }
    }
}
