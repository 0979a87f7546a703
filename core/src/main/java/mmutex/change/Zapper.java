package mmutex.change;

import java.util.Arrays;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.sync.ActorLocal;

/**
 * Clears entries and releases what they held: zap_pte_range, mm/memory.c (6.12), semantics 3.15.
 *
 * <p>Frames of present entries are freed only after the shoot-down, never between clearing and flushing: a CPU may be
 * using them until its window is drained. Exclusive entries hold no translation, so their reference is dropped at once.
 * The same goes for device-private entries. No page lock is taken, and dirtiness of exclusive pages is not collected.
 *
 * <p>Threads: any; the caller has opened the notifier span and holds the mmap lock (shared suffices) or, for a VMA that maps
 * a file, the file's lock.
 */
final class Zapper {
    private static final ActorLocal<Batch> BATCH = new ActorLocal<>(Batch::new);

    private Zapper() {}

    /** unmap_single_vma: zaps [start, end) of a VMA, page-aligned. */
    static void zap(final Task task, final Vma vma, final long start, final long end) {
        final AddressSpace space = vma.space();
        if (vma.has(VmFlags.HUGETLB)) {
            HugePageZapper.zap(task, vma, start, end);
            return;
        }
        final Batch batch = BATCH.of(task);
        final RadixTable radix = space.pageTable().radix();
        final long endPage = end >>> space.pageShift();
        long page = radix.nextPopulated(start >>> space.pageShift(), endPage);
        while (page < endPage) {
            final long tableEnd = radix.leafEnd(page, endPage);
            final boolean whole = HugePmds.splitUnlessWhole(task, space, page, tableEnd);
            if (!whole || !batch.addHuge(HugePmds.zap(task, space, page))) {
                zapTable(task, space, page, tableEnd, batch);
            }
            batch.flush(task, space);
            page = radix.nextPopulated(tableEnd, endPage);
        }
    }

    private static void zapTable(
            final Task task, final AddressSpace space, final long first, final long end, final Batch batch) {
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long firstSlot = table.radix().slot(first);
        if (firstSlot < 0) {
            return; // a huge entry, that somebody else has cleared meanwhile
        }
        long anonPages = 0;
        table.lock(task, firstSlot);
        for (long page = first, slot = firstSlot; page < end; page++, slot += Long.BYTES) {
            final long seen = table.load(slot);
            if (encoding.isNone(seen)) {
                continue;
            }
            // Valid entries may gain bits until they are cleared, so what counts is what the clearing returns.
            final long pte = table.getAndClear(slot);
            if (encoding.isPresent(pte)) {
                if (!encoding.isSpecial(pte)) {
                    final long pfn = encoding.frameNumber(pte);
                    anonPages += zapFilePage(space, pfn, encoding.isDirty(pte)) ? 0 : 1;
                    batch.addMapped(pfn);
                }
                batch.needsFlush = true;
            } else {
                anonPages += zapSpecial(task, space, pte);
            }
        }
        space.anonPages().add(-anonPages);
        table.unlock(task, firstSlot);
    }

    /** Returns the anonymous pages that went with the entry. */
    private static long zapSpecial(final Task task, final AddressSpace space, final long pte) {
        final Platform platform = space.platform();
        final PteKind kind = platform.encoding().kind(pte);
        if (kind.isMigration()) {
            return 1; // it has neither reference nor mapping; who moves the page will find it unmapped
        }
        if (kind == PteKind.SWAP) {
            SwapEntries.free(task, space, pte);
            return 0;
        }
        if (!kind.isDeviceExclusive() && !kind.isDevicePrivate()) {
            throw new IllegalStateException("no operation of this emulator makes such entries yet: kind=" + kind);
        }
        final long pfn = platform.encoding().swapFrameNumber(pte);
        if (kind.isDevicePrivate() || platform.profile().exclusiveKeepsMapcount()) {
            space.reverseMap().remove(pfn);
        }
        final int anonPages = zapFilePage(space, pfn, false) ? 0 : 1;
        platform.putPage(pfn);
        return anonPages;
    }

    /** A file's page keeps what was written to it, and counts elsewhere; false for an anonymous one. */
    private static boolean zapFilePage(final AddressSpace space, final long pfn, final boolean dirty) {
        final FrameTable frames = space.platform().frames();
        if (!frames.has(pfn, FrameTable.FILE)) {
            return false;
        }
        if (dirty) {
            frames.markDirty(pfn);
        }
        space.rss(pfn).add(-1);
        return true;
    }

    /** Frames between clearing and freeing (the kernel's mmu_gather); at most one table's. */
    private static final class Batch {
        private long[] frames = new long[512];
        private int size;
        private long hugeFolio = FrameAllocator.NONE;
        private boolean needsFlush;

        private void addMapped(final long pfn) {
            if (size == frames.length) {
                frames = Arrays.copyOf(frames, 2 * size);
            }
            frames[size++] = pfn;
        }

        private boolean addHuge(final long folio) {
            hugeFolio = folio;
            needsFlush |= folio != FrameAllocator.NONE;
            return folio != FrameAllocator.NONE;
        }

        private void flush(final Task task, final AddressSpace space) {
            if (needsFlush) {
                space.windows().flush(task);
                needsFlush = false;
            }
            final FrameAllocator allocator = space.platform().allocator();
            for (int i = 0; i < size; i++) {
                space.reverseMap().remove(frames[i]);
                allocator.put(frames[i]);
            }
            size = 0;
            if (hugeFolio != FrameAllocator.NONE) {
                HugePmds.release(space, hugeFolio);
                hugeFolio = FrameAllocator.NONE;
            }
        }
    }
}
