package mmutex.mm;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.memory.Words;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.Actor;
import mmutex.sync.ActorLocal;

/**
 * Maps a huge page by single entries instead of one: __split_huge_pmd, mm/huge_memory.c (6.12). The page stays compound;
 * every entry holds a reference on it. The huge page of zeroes becomes so many mappings of the small one.
 *
 * <p>Threads: any; the caller holds the mmap or VMA lock (shared suffices), and no page-table lock.
 */
public final class PmdSplitter {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private PmdSplitter() {}

    /** Splits the entry that covers an address; nothing is done, but an event sent, if it is not huge any more. */
    public static void split(final Actor actor, final Vma vma, final long addr) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final long start = addr & -table.hugeSize();
        // 1. Whole range, whoever asks; a span inside the caller's own, if that has one (zap).
        final NotifierRange range = RANGE.of(actor).init(NotifierEvent.CLEAR, start, start + table.hugeSize());
        space.notifiers().start(actor, range);
        final long slot = table.upperSlot(addr);
        if (slot != PageTable.NO_SLOT) {
            table.lock(actor, slot);
            if (HugePmd.isHuge(table.loadUpper(slot))) {
                splitLocked(actor, vma, slot);
            }
            table.unlock(actor, slot);
        }
        space.notifiers().end(actor, range);
    }

    /** vma_adjust_trans_huge: no huge entry may cross a boundary between VMAs. mmap lock held for writing. */
    static void splitAtBoundary(final Actor actor, final Vma vma, final long addr) {
        final PageTable table = vma.space().pageTable();
        if ((addr & table.hugeSize() - 1) != 0 && RadixTable.isHuge(table.slot(addr))) {
            split(actor, vma, addr);
        }
    }

    private static void splitLocked(final Actor actor, final Vma vma, final long slot) {
        final AddressSpace space = vma.space();
        final Platform platform = space.platform();
        final PageTable table = space.pageTable();
        // 2. Hardware is locked out before the state is read for good: it may set dirty until then. The entry
        // stays huge for software, so nobody publishes a table in its place.
        long pmd = table.loadUpper(slot);
        while (!table.compareAndSetUpper(slot, pmd, HugePmd.invalidate(pmd))) {
            pmd = table.loadUpper(slot);
        }
        space.windows().flush(actor);
        // 3. The table that was put aside when the entry was installed: a split can't fail.
        final long leafTable = platform.tables().withdraw(slot);
        final long folio = HugePmd.frameNumber(pmd);
        if (platform.hugeZero().is(folio)) {
            fillZero(vma, pmd, leafTable);
        } else {
            fill(vma, pmd, leafTable);
            // 4. The entries' mappings and references are counted before the huge one's goes.
            space.reverseMap().splitEntire(folio);
        }
        // 5. Only now can anybody reach the entries.
        table.populate(slot, leafTable);
    }

    private static void fill(final Vma vma, final long pmd, final long leafTable) {
        final Platform platform = vma.space().platform();
        final FrameTable frames = platform.frames();
        final Words entries = platform.tables().entries();
        final long folio = HugePmd.frameNumber(pmd);
        if (HugePmd.isDirty(pmd)) {
            frames.markDirty(folio);
        }
        for (int i = 0; i < frames.compoundFrames(); i++) {
            final long pte = HugePmd.leaf(platform.encoding(), pmd, i, vma.protection());
            // Where making an entry dirty makes it soft-dirty, a split does so to all that was dirty (the kernel's
            // quirk).
            entries.store(
                    leafTable + (long) i * Long.BYTES,
                    HugePmd.isDirty(pmd) ? platform.encoding().mkDirty(pte) : pte);
        }
    }

    /** __split_huge_zero_page_pmd. */
    private static void fillZero(final Vma vma, final long pmd, final long leafTable) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        long pte = encoding.mkSpecial(encoding.present(FrameAllocator.ZERO_FRAME, vma.protection()));
        if (HugePmd.isUffdWp(pmd)) {
            pte = encoding.mkUffdWp(pte);
        }
        final Words entries = platform.tables().entries();
        final long end = leafTable + ((long) Long.BYTES << encoding.indexBits());
        for (long slot = leafTable; slot < end; slot += Long.BYTES) {
            entries.store(slot, pte);
        }
    }

    /** zap_deposited_table: the huge entry in the slot has gone whole. Its table's lock is held. */
    public static void dropDeposit(final Platform platform, final long slot) {
        final TableArena tables = platform.tables();
        tables.free(tables.withdraw(slot));
    }
}
