package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * Starts a new round of soft-dirty tracking: writing 4 to /proc/PID/clear_refs, fs/proc/task_mmu.c (6.12). Present entries
 * are write-protected, so that the next write faults and marks the page; swap forms lose the bit. Exclusive entries stay,
 * but the event, one span over the whole address space, makes devices drop their mappings.
 */
public final class SoftDirtyClearer {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private SoftDirtyClearer() {}

    /** Clears every soft-dirty bit of an address space. */
    public static void clear(final Task task, final AddressSpace space) {
        space.mmapLock().writeLock(task);
        // 1. Mappings are no longer dirty as a whole.
        for (final Vma vma : space.vmas().snapshot()) {
            if (vma.has(VmFlags.SOFTDIRTY)) {
                space.editor().changeFlags(task, vma, vma.flags() & ~VmFlags.SOFTDIRTY);
            }
        }
        // 2. Then their pages, in one span.
        final NotifierRange range = RANGE.of(task).init(NotifierEvent.SOFT_DIRTY, 0, Long.MAX_VALUE);
        space.notifiers().start(task, range);
        for (final Vma vma : space.vmas().snapshot()) {
            if (!vma.has(VmFlags.PFNMAP)) {
                clear(task, vma);
            }
        }
        space.notifiers().end(task, range);
        // 3. Nobody writes through a translation that was writable before.
        space.windows().flush(task);
        space.mmapLock().writeUnlock(task);
    }

    private static void clear(final Task task, final Vma vma) {
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final long end = vma.end() >>> space.pageShift();
        long page = radix.nextPopulated(vma.start() >>> space.pageShift(), end);
        while (page < end) {
            final long tableEnd = radix.leafEnd(page, end);
            if (!HugePmds.splitUnlessWhole(task, space, page, tableEnd)
                    || !HugePmds.clearSoftDirty(task, space, page)) {
                clearTable(task, vma, page, tableEnd);
            }
            page = radix.nextPopulated(tableEnd, end);
        }
    }

    private static void clearTable(final Task task, final Vma vma, final long first, final long end) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long firstSlot = table.radix().slot(first);
        table.lock(task, firstSlot);
        for (long page = first, slot = firstSlot; page < end; page++, slot += Long.BYTES) {
            final long pte = table.load(slot);
            if (encoding.isPresent(pte)) {
                clearPresent(vma, table, slot, pte);
            } else if (!encoding.isNone(pte)) {
                table.store(slot, encoding.clearSwapSoftDirty(pte));
            }
        }
        table.unlock(task, firstSlot);
    }

    /** clear_soft_dirty. A pinned page is left alone: its next write may come without a fault. */
    private static void clearPresent(final Vma vma, final PageTable table, final long slot, final long first) {
        final AddressSpace space = vma.space();
        final PteEncoding encoding = space.encoding();
        if (VmFlags.isCowMapping(vma.flags())
                && !encoding.isSpecial(first)
                && space.platform().frames().isMaybePinned(encoding.frameNumber(first))) {
            return;
        }
        long pte = first;
        // Hardware may set bits in the entry meanwhile: compare-and-set until none came between.
        while (!table.compareAndSet(slot, pte, encoding.clearSoftDirty(encoding.wrProtect(pte)))) {
            pte = table.load(slot);
        }
    }
}
