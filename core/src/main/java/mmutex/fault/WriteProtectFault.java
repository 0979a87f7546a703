package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.FaultResult;
import mmutex.notify.NotifierEvent;

/**
 * A write to a present, read-only entry. Of a private mapping: reuse the page if this process alone owns it, else copy. Of a
 * shared one: make it writable. A read-only pin asks for the same without the write ({@link FaultFlags#UNSHARE}): the page
 * becomes its own, the entry stays read-only. do_wp_page, mm/memory.c (6.12), semantics 3.4.
 */
final class WriteProtectFault {
    private WriteProtectFault() {}

    /** Called with the leaf-table lock held and the entry still as first read; releases the lock. */
    static int handle(final FaultContext fault) {
        final PteEncoding encoding = fault.encoding;
        // 1. uffd-wp: the user's handler decides.
        if (fault.isWrite() && encoding.isUffdWp(fault.originalPte) && fault.vma.has(VmFlags.UFFD_WP)) {
            fault.table.unlock(fault.task, fault.slot);
            return UserFaultWait.handle(fault, true);
        }
        if (fault.vma.has(VmFlags.SHARED)) {
            return FileFault.makeWritable(fault);
        }
        final boolean zero = encoding.isSpecial(fault.originalPte);
        final long old = encoding.frameNumber(fault.originalPte);
        // 2., 3. Ours alone: reuse in place, without an event.
        if (!zero && mayReuse(fault, old)) {
            if (fault.has(FaultFlags.UNSHARE)) {
                fault.table.unlock(fault.task, fault.slot);
            } else {
                reuse(fault);
            }
            return FaultResult.DONE;
        }
        // 4. Copy.
        if (!zero) {
            fault.platform.frames().get(old);
        }
        fault.table.unlock(fault.task, fault.slot);
        return copy(fault, zero ? FrameAllocator.NONE : old);
    }

    /** AnonExclusive, or provably the only user left (wp_can_reuse_anon_folio); makes it AnonExclusive then. */
    private static boolean mayReuse(final FaultContext fault, final long pfn) {
        final FrameTable frames = fault.platform.frames();
        if (!frames.has(pfn, FrameTable.ANON) || frames.has(pfn, FrameTable.KSM)) {
            return false; // a file's page is never ours, nor one that others may come to share
        }
        if (fault.platform.profile().hasAnonExclusive() && frames.has(pfn, FrameTable.ANON_EXCLUSIVE)) {
            return true;
        }
        if (frames.isLarge(pfn)) {
            return mayReuseLarge(fault, pfn);
        }
        return isOnlyReference(fault, pfn, pfn);
    }

    /** The folio may have other pages that are mapped: __wp_can_reuse_large_anon_folio (6.15) and its predecessors. */
    private static boolean mayReuseLarge(final FaultContext fault, final long pfn) {
        final FrameTable frames = fault.platform.frames();
        final long folio = frames.head(pfn);
        switch (fault.platform.profile().largeReuse()) {
            case LAST_REFERENCE:
                return isOnlyReference(fault, folio, pfn);
            case ALL_OURS:
                // No page lock: who moves the folio, or pins it, has a reference that is no mapping. All
                // mappings are in this table, whose lock is held, so none can come or go; and references are
                // dropped after mappings. The kernel keeps a count per address space instead, for the first two
                // of them.
                final long mappings = frames.folioMapCount(folio);
                final boolean ours =
                        mappings > 1 && frames.refCount(folio) == mappings && mappingsInTable(fault, folio) == mappings;
                if (ours) {
                    frames.setBits(pfn, FrameTable.ANON_EXCLUSIVE);
                }
                return ours;
            default:
                return false;
        }
    }

    /** Entries of the fault's table that map a page of a folio; the table's lock is held. */
    private static int mappingsInTable(final FaultContext fault, final long folio) {
        final PteEncoding encoding = fault.encoding;
        final int frames = fault.platform.frames().compoundFrames();
        final long first = fault.slot & -((long) Long.BYTES << encoding.indexBits());
        int found = 0;
        for (int i = 0; i < 1 << encoding.indexBits(); i++) {
            final long pte = fault.table.load(first + (long) i * Long.BYTES);
            if (encoding.isPresent(pte) || encoding.isDeviceExclusive(pte)) {
                final long page = encoding.anyFrameNumber(pte) - folio;
                found += page >= 0 && page < frames ? 1 : 0;
            }
        }
        return found;
    }

    /** No reference but that of this entry; the folio becomes this process's, the page AnonExclusive. */
    private static boolean isOnlyReference(final FaultContext fault, final long folio, final long pfn) {
        final FrameTable frames = fault.platform.frames();
        final boolean tracksOwner = fault.platform.profile().hasAnonExclusive();
        // A page lock under the leaf-table lock only by trylock; the first look spares it when there is no hope.
        if (frames.refCount(folio) != 1 || !fault.platform.pageLock().tryLock(fault.task, folio)) {
            return false;
        }
        final boolean alone = frames.refCount(folio) == 1 && (tracksOwner || frames.mapCount(pfn) == 1);
        if (alone) {
            fault.space.reverseMap().moveTo(folio, fault.vma);
            if (tracksOwner) {
                frames.setBits(pfn, FrameTable.ANON_EXCLUSIVE);
            }
        }
        fault.platform.pageLock().unlock(fault.task, folio);
        return alone;
    }

    /** wp_page_reuse. The entry is valid, so hardware may set bits: compare-and-set until none came between. */
    static void reuse(final FaultContext fault) {
        long pte = fault.originalPte;
        while (!fault.table.compareAndSet(fault.slot, pte, writableDirtyYoung(fault, pte))) {
            pte = fault.table.load(fault.slot);
        }
        fault.table.unlock(fault.task, fault.slot);
    }

    private static long writableDirtyYoung(final FaultContext fault, final long pte) {
        return fault.maybeWritable(fault.encoding.mkDirty(fault.encoding.mkYoung(pte)));
    }

    /** wp_page_copy; {@code old} is NONE for the zero page, else a frame the caller took a reference on. */
    private static int copy(final FaultContext fault, final long old) {
        final FrameAllocator allocator = fault.platform.allocator();
        final int prepared = AnonPreparation.prepare(fault);
        final long fresh = prepared != FaultResult.DONE ? FrameAllocator.NONE : allocate(fault, old);
        if (fresh == FrameAllocator.NONE) {
            if (old != FrameAllocator.NONE) {
                allocator.put(old);
            }
            return prepared != FaultResult.DONE ? prepared : FaultResult.OOM;
        }
        fault.range.init(NotifierEvent.CLEAR, fault.addr, fault.addr + fault.space.pageSize());
        fault.space.notifiers().start(fault.task, fault.range);
        final boolean copied = replace(fault, old, fresh);
        fault.space.notifiers().end(fault.task, fault.range);
        if (!copied) {
            allocator.put(fresh);
        } else if (old != FrameAllocator.NONE) {
            allocator.put(old); // the entry's reference
        }
        if (old != FrameAllocator.NONE) {
            allocator.put(old); // our own
        }
        return FaultResult.DONE;
    }

    private static long allocate(final FaultContext fault, final long old) {
        if (old == FrameAllocator.NONE) {
            return fault.platform.allocator().allocateZeroed();
        }
        final long fresh = fault.platform.allocator().allocate();
        if (fresh != FrameAllocator.NONE) {
            fault.platform.data().copyFrame(old, fresh);
        }
        return fresh;
    }

    /**
     * Order matters: the old entry is cleared and flushed before the new one is stored, and only then is the old mapping
     * uncounted. Dropping it earlier would let another process reuse the old frame while this one still reads it (O11).
     */
    private static boolean replace(final FaultContext fault, final long old, final long fresh) {
        final PteEncoding encoding = fault.encoding;
        fault.table.lock(fault.task, fault.slot);
        final boolean same = isStill(fault, fault.table.load(fault.slot));
        if (same) {
            if (old == FrameAllocator.NONE) {
                fault.space.anonPages().add(1);
            } else if (!fault.platform.frames().has(old, FrameTable.ANON)) {
                fault.space.rss(old).add(-1);
                fault.space.anonPages().add(1);
            }
            final long pte = entryOfCopy(fault, encoding.mkYoung(encoding.present(fresh, fault.vma.protection())));
            fault.table.clearFlush(fault.task, fault.slot);
            fault.space.reverseMap().addNewAnon(fresh, fault.vma, fault.addr);
            fault.table.store(fault.slot, pte);
            if (old != FrameAllocator.NONE) {
                fault.space.reverseMap().remove(old);
            }
        }
        fault.table.unlock(fault.task, fault.slot);
        return same;
    }

    /** Written next and so dirty; or, unshared only, with the marks that the old entry had. */
    private static long entryOfCopy(final FaultContext fault, final long pte) {
        final PteEncoding encoding = fault.encoding;
        if (!fault.has(FaultFlags.UNSHARE)) {
            return fault.maybeWritable(encoding.mkDirty(pte));
        }
        final long marked = encoding.isSoftDirty(fault.originalPte) ? encoding.mkSoftDirty(pte) : pte;
        return encoding.isUffdWp(fault.originalPte) ? encoding.mkUffdWp(marked) : marked;
    }

    /** pte_same, but for the young bit that a reader may have set meanwhile: the kernel would fault once more for it. */
    private static boolean isStill(final FaultContext fault, final long pte) {
        return fault.encoding.isPresent(pte)
                && fault.encoding.mkYoung(pte) == fault.encoding.mkYoung(fault.originalPte);
    }
}
