package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.FaultResult;
import mmutex.mm.FileMapping;
import mmutex.mm.PageTable;

/**
 * An empty entry of a mapping that has a file behind it: do_fault and its three cases, mm/memory.c (6.12). No notification:
 * nothing there becomes invalid.
 *
 * <pre>
 *   access  mapping   case             entry afterwards
 *   read    any       do_read_fault    the file's page, and its neighbours that are in the page cache
 *   write   private   do_cow_fault     an anonymous copy of the file's page
 *   write   shared    do_shared_fault  the file's page, dirty
 * </pre>
 *
 * <p>The file's page stays locked from the look into the page cache until its entry is stored. Truncation removes a page
 * only with its lock and unmaps it then, so no entry ever leads to a page that has left its file.
 */
final class FileFault {
    /** fault_around_bytes: 64 KiB. */
    private static final int AROUND_BYTES = 1 << 16;

    private FileFault() {}

    static int handle(final FaultContext fault) {
        final FileMapping file = fault.vma.file();
        if (file.kind() != FileMapping.Kind.SHMEM) {
            return FaultResult.SIGBUS; // no vm_ops->fault: whatever the driver has not inserted is not there
        }
        // 1. The leaf table must exist before its lock can.
        fault.slot = fault.table.slotOrCreate(fault.addr);
        if (fault.slot == PageTable.NO_SLOT) {
            return FaultResult.OOM;
        }
        if (!fault.isWrite()) {
            return read(fault, file);
        }
        return fault.vma.has(VmFlags.SHARED) ? share(fault, file) : copy(fault, file);
    }

    /** do_read_fault. Where the fault-around has mapped the page, the rest is spared. */
    private static int read(final FaultContext fault, final FileMapping file) {
        mapAround(fault, file);
        if (fault.table.load(fault.slot) != fault.originalPte) {
            return FaultResult.DONE;
        }
        return share(fault, file);
    }

    /** do_shared_fault, and what is left of do_read_fault: __do_fault, then finish_fault. */
    private static int share(final FaultContext fault, final FileMapping file) {
        final long pfn = file.lockPage(fault.task, fault.vma.linearIndex(fault.addr));
        if (pfn < 0) {
            return failure(pfn);
        }
        fault.table.lock(fault.task, fault.slot);
        final boolean lost = mayHaveLostCopy(fault);
        if (!lost && fault.table.load(fault.slot) == fault.originalPte) {
            install(fault, fault.slot, pfn, sharedPte(fault, pfn));
        }
        fault.table.unlock(fault.task, fault.slot);
        if (fault.isWrite()) {
            fault.platform.frames().markDirty(pfn); // fault_dirty_shared_page
        }
        file.unlockPage(fault.task, pfn);
        return lost ? FaultResult.SIGBUS : FaultResult.DONE;
    }

    /** finish_fault asks check_stable_address_space even for a read: the reaper may have taken a private copy. */
    private static boolean mayHaveLostCopy(final FaultContext fault) {
        return !fault.vma.has(VmFlags.SHARED) && fault.space.isUnstable();
    }

    private static long sharedPte(final FaultContext fault, final long pfn) {
        final PteEncoding encoding = fault.encoding;
        final long pte = encoding.mkYoung(encoding.present(pfn, fault.vma.protection()));
        return fault.isWrite() ? fault.maybeWritable(encoding.mkDirty(pte)) : pte;
    }

    /** set_pte_range for one page of the file; the leaf-table lock is held. The entry has a reference of its own. */
    private static void install(final FaultContext fault, final long slot, final long pfn, final long pte) {
        fault.platform.frames().get(pfn);
        fault.space.reverseMap().add(pfn);
        fault.space.rss(pfn).add(1);
        fault.table.store(slot, pte);
    }

    /** do_cow_fault: reverse map and frame first, so that nothing is allocated under the file's page lock. */
    private static int copy(final FaultContext fault, final FileMapping file) {
        final int prepared = AnonPreparation.prepare(fault);
        if (prepared != FaultResult.DONE) {
            return prepared;
        }
        final FrameAllocator allocator = fault.platform.allocator();
        final long fresh = allocator.allocate();
        if (fresh == FrameAllocator.NONE) {
            return FaultResult.OOM;
        }
        final long pfn = file.lockPage(fault.task, fault.vma.linearIndex(fault.addr));
        if (pfn < 0) {
            allocator.put(fresh);
            return failure(pfn);
        }
        fault.platform.data().copyFrame(pfn, fresh);
        final PteEncoding encoding = fault.encoding;
        final long pte = fault.maybeWritable(
                encoding.mkDirty(encoding.mkYoung(encoding.present(fresh, fault.vma.protection()))));
        fault.table.lock(fault.task, fault.slot);
        final boolean lost = mayHaveLostCopy(fault);
        final boolean won = !lost && fault.table.load(fault.slot) == fault.originalPte;
        if (won) {
            fault.space.anonPages().add(1);
            fault.space.reverseMap().addNewAnon(fresh, fault.vma, fault.addr);
            fault.table.store(fault.slot, pte);
        }
        fault.table.unlock(fault.task, fault.slot);
        file.unlockPage(fault.task, pfn);
        if (!won) {
            allocator.put(fresh);
        }
        return lost ? FaultResult.SIGBUS : FaultResult.DONE;
    }

    /**
     * do_fault_around, filemap_map_pages: maps what the page cache has of the aligned block around the address, within the
     * VMA and the leaf table. Pages that somebody has locked are left out: under the leaf-table lock only by trylock.
     */
    private static void mapAround(final FaultContext fault, final FileMapping file) {
        final int shift = fault.space.pageShift();
        final long around = Math.max(1, AROUND_BYTES >> shift);
        final long page = fault.addr >>> shift;
        final long first = Math.max(page & -around, fault.vma.start() >>> shift);
        final long end = fault.table.radix().leafEnd(page, Math.min(first + around, fault.vma.end() >>> shift));
        final long toIndex = fault.vma.linearIndex(fault.addr) - page;
        final long endIndex = Math.min(end + toIndex, file.size());
        // The first look is without the lock: most faults on an empty cache need not take it.
        long index = file.nextCached(first + toIndex, endIndex);
        if (index >= endIndex) {
            return;
        }
        fault.table.lock(fault.task, fault.slot);
        for (; index < endIndex; index = file.nextCached(index + 1, endIndex)) {
            final long slot = fault.slot + (index - toIndex - page) * Long.BYTES;
            if (fault.encoding.isNone(fault.table.load(slot))) {
                mapCached(fault, file, index, slot);
            }
        }
        fault.table.unlock(fault.task, fault.slot);
    }

    private static void mapCached(final FaultContext fault, final FileMapping file, final long index, final long slot) {
        final long pfn = file.tryLockPage(fault.task, index);
        if (pfn != FrameAllocator.NONE) {
            final long pte = fault.encoding.present(pfn, fault.vma.protection());
            install(fault, slot, pfn, slot == fault.slot ? fault.encoding.mkYoung(pte) : pte);
            file.unlockPage(fault.task, pfn);
        }
    }

    private static int failure(final long instead) {
        return instead == FileMapping.BEYOND_END ? FaultResult.SIGBUS : FaultResult.OOM;
    }

    /** wp_page_shared: a write to a read-only entry of shared memory that is tracked. Lock held; releases it. */
    static int makeWritable(final FaultContext fault) {
        final long pfn = fault.encoding.frameNumber(fault.originalPte);
        final FrameTable frames = fault.platform.frames();
        frames.get(pfn);
        WriteProtectFault.reuse(fault);
        frames.markDirty(pfn);
        fault.platform.allocator().put(pfn);
        return FaultResult.DONE;
    }
}
