package mmutex.change;

import java.util.List;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.SwapTypes;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.MappedWalk;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.PmdSplitter;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * Puts migration entries in the place of a page's mappings, and takes them out again: try_to_migrate, mm/rmap.c, and
 * remove_migration_ptes, mm/migrate.c (6.12); semantics 3.17 and 3.25.
 *
 * <pre>
 *   mapping                       migration entry    comes back
 *   writable                      WRITE              writable, AnonExclusive
 *   read-only, AnonExclusive      READ_EXCLUSIVE     read-only, AnonExclusive
 *   read-only                     READ               read-only
 *   present: young, dirty         kept as hints      young; dirty if the frame is too
 *   device-private                no hints           old, clean
 * </pre>
 *
 * Soft-dirty and uffd-wp are carried both ways. A migration entry holds no reference and is no mapping: who moves the page
 * has it locked, and holds a reference, from before the first entry is installed until the last one is gone.
 */
final class MigrationEntries {
    private static final ActorLocal<Scratch> SCRATCH = new ActorLocal<>(Scratch::new);

    private MigrationEntries() {}

    /**
     * Converts one mapping. Leaf-table lock held, page locked, a reference held besides the mapping's.
     *
     * @return whether the entry was present, so that a shoot-down is due before the lock is dropped
     */
    static boolean install(final AddressSpace space, final long slot, final long seen) {
        final Platform platform = space.platform();
        final PteEncoding encoding = platform.encoding();
        final PageTable table = space.pageTable();
        final boolean present = encoding.isPresent(seen);
        // Valid entries may gain bits until they are cleared, so what counts is what the clearing returns.
        final long pte = present ? table.getAndClear(slot) : seen;
        final long pfn = encoding.anyFrameNumber(pte);
        // folio_try_share_anon_rmap_pte: whoever finds the page from now on must not take it for his alone.
        final boolean exclusive =
                (platform.frames().clearBits(pfn, FrameTable.ANON_EXCLUSIVE) & FrameTable.ANON_EXCLUSIVE) != 0;
        if (present && encoding.isDirty(pte)) {
            platform.frames().markDirty(pfn);
        }
        table.store(slot, present ? ofPresent(encoding, pte, pfn, exclusive) : ofSpecial(encoding, pte, exclusive));
        platform.reverseMap().remove(pfn);
        platform.allocator().put(pfn); // the mapping's reference; the mover's remains
        return present;
    }

    private static long ofPresent(final PteEncoding encoding, final long pte, final long pfn, final boolean exclusive) {
        final SwapTypes types = encoding.types();
        long entry = SwapEntry.of(types.typeOf(kind(encoding.isWritable(pte), exclusive)), pfn);
        if (encoding.isYoung(pte)) {
            entry = types.mkMigrationYoung(entry);
        }
        if (encoding.isDirty(pte)) {
            entry = types.mkMigrationDirty(entry);
        }
        return withFlags(encoding, encoding.fromSwapEntry(entry), encoding.isSoftDirty(pte), encoding.isUffdWp(pte));
    }

    /** Of a device-private entry; or of an exclusive one, which counts as read-only. */
    private static long ofSpecial(final PteEncoding encoding, final long pte, final boolean exclusive) {
        final boolean writable = encoding.kind(pte) == PteKind.DEVICE_PRIVATE_WRITE;
        final long entry = encoding.frameEntry(kind(writable, exclusive), encoding.swapFrameNumber(pte));
        return withFlagsOf(encoding, entry, pte);
    }

    private static PteKind kind(final boolean writable, final boolean exclusive) {
        if (writable) {
            return PteKind.MIGRATION_WRITE;
        }
        return exclusive ? PteKind.MIGRATION_READ_EXCLUSIVE : PteKind.MIGRATION_READ;
    }

    static long withFlags(final PteEncoding encoding, final long entry, final boolean softDirty, final boolean uffdWp) {
        final long marked = softDirty ? encoding.mkSwapSoftDirty(entry) : entry;
        return uffdWp ? encoding.mkSwapUffdWp(marked) : marked;
    }

    /** A swap form with the soft-dirty and uffd-wp bits of another, whose place it takes. */
    static long withFlagsOf(final PteEncoding encoding, final long entry, final long former) {
        return withFlags(encoding, entry, encoding.isSwapSoftDirty(former), encoding.isSwapUffdWp(former));
    }

    // ---- every mapping of a folio ---------------------------------------------------------------------------

    /**
     * try_to_migrate: converts every mapping of a locked, referenced folio that is left, in all address spaces. What can't
     * be converted stays; the caller looks at the mapcount.
     */
    static void installEverywhere(final Task task, final Platform platform, final long folio) {
        final AnonVma anonVma = platform.reverseMap().lockAnonVma(task, folio);
        if (anonVma == null) {
            return;
        }
        final Scratch scratch = SCRATCH.of(task);
        final long index = platform.frames().index(folio);
        final long last = index + platform.frames().folioFrames(folio) - 1;
        final List<Vma> vmas = anonVma.vmas();
        for (int i = 0; i < vmas.size() && platform.frames().folioMapCount(folio) != 0; i++) {
            if (vmas.get(i).overlaps(index, last)) {
                installInVma(task, vmas.get(i), folio, index, last, scratch);
            }
        }
        anonVma.lock().readUnlock(task);
    }

    /**
     * try_to_migrate_one. The event goes to every VMA visited, whether or not it maps the folio (E13), and covers what of
     * the folio fits into the VMA.
     */
    private static void installInVma(
            final Task task,
            final Vma vma,
            final long folio,
            final long index,
            final long last,
            final Scratch scratch) {
        final AddressSpace space = vma.space();
        final MappedWalk walk = scratch.walk;
        final long start = vma.address(Math.max(index, vma.pageOffset()));
        scratch.range.init(NotifierEvent.CLEAR, start, Math.min(vma.end(), vma.address(last + 1)));
        space.notifiers().start(task, scratch.range);
        // TTU_SPLIT_HUGE_PMD. The family's lock keeps collapse from putting the entry together again.
        if (isMappedHuge(space.pageTable(), folio, start)) {
            PmdSplitter.split(task, vma, start);
        }
        for (boolean found = walk.find(task, vma, folio, index); found; found = walk.next(task)) {
            if (isConvertible(vma, walk, folio, index) && install(space, walk.slot(), walk.pte())) {
                walk.flushBeforeRelease();
            }
        }
        space.notifiers().end(task, scratch.range);
    }

    private static boolean isMappedHuge(final PageTable table, final long folio, final long addr) {
        final long pmd = table.loadHuge(table.slot(addr));
        return pmd != 0 && HugePmd.frameNumber(pmd) == folio;
    }

    /**
     * Up to 6.14 an exclusive entry is no mapping, and nobody but make, restore, and zap touches it. And the early series
     * map a folio's first page where another one belongs: no walk would find its migration entry again.
     */
    private static boolean isConvertible(final Vma vma, final MappedWalk walk, final long folio, final long index) {
        final PteEncoding encoding = vma.space().encoding();
        if (encoding.isDeviceExclusive(walk.pte())
                && !vma.space().platform().profile().exclusiveIsReclaimable()) {
            return false;
        }
        return encoding.anyFrameNumber(walk.pte()) - folio == vma.linearIndex(walk.addr()) - index;
    }

    /**
     * remove_migration_ptes: makes every migration entry of a folio a mapping again, of the same folio or of the one that
     * it has moved to. Both are locked.
     *
     * @param from the folio whose pages the entries name
     * @param to the folio to which they will lead; it has the reverse-map record
     */
    static void remove(final Task task, final Platform platform, final long from, final long to) {
        replaceAll(task, platform, from, to, MigrationEntries::removeOne, to - from);
    }

    /**
     * The same for a small page that contains nothing but zeroes, and was part of a large folio until now: it is mapped no
     * more, the zero page is. RMP_USE_SHARED_ZEROPAGE (6.12).
     */
    static void removeUnused(final Task task, final Platform platform, final long pfn) {
        replaceAll(task, platform, pfn, pfn, MigrationEntries::removeUnusedOne, 0);
    }

    /** What swap-out makes of the migration entries of an unmapped folio: entries of consecutive slots. Page locked. */
    static void replaceBySwap(final Task task, final Platform platform, final long folio, final long slot) {
        replaceAll(task, platform, folio, folio, MigrationEntries::replaceOne, slot - folio);
    }

    /** What dropping a folio makes of them: nothing. Page locked. */
    static void drop(final Task task, final Platform platform, final long folio) {
        replaceAll(task, platform, folio, folio, MigrationEntries::dropOne, 0);
    }

    /**
     * What takes the place of one migration entry. The distance from the frame that the entry names to what its page is
     * now, frame or slot, is passed on, so that nothing need be captured.
     */
    @FunctionalInterface
    private interface Replacement {
        void replace(Vma vma, long slot, long entry, long distance);
    }

    /** rmap_walk: every migration entry that names a page of a folio; if it has moved, another one has its record. */
    private static void replaceAll(
            final Task task,
            final Platform platform,
            final long named,
            final long recorded,
            final Replacement replacement,
            final long distance) {
        final AnonVma anonVma = platform.reverseMap().lockAnonVmaOfMigrated(task, recorded);
        if (anonVma == null) {
            return;
        }
        final MappedWalk walk = SCRATCH.of(task).walk;
        final long index = platform.frames().index(recorded);
        final long last = index + platform.frames().folioFrames(named) - 1;
        final List<Vma> vmas = anonVma.vmas();
        for (int i = 0; i < vmas.size(); i++) {
            final Vma vma = vmas.get(i);
            if (!vma.overlaps(index, last)) {
                continue;
            }
            for (boolean found = walk.findMigration(task, vma, named, index); found; found = walk.next(task)) {
                replacement.replace(vma, walk.slot(), walk.pte(), distance);
            }
        }
        anonVma.lock().readUnlock(task);
    }

    private static void replaceOne(final Vma vma, final long tableSlot, final long entry, final long distance) {
        final AddressSpace space = vma.space();
        final PteEncoding encoding = space.encoding();
        final PteKind kind = encoding.kind(entry);
        if (!kind.isMigration()) {
            return; // an exclusive entry, which the walk takes for one up to 6.14
        }
        final long slot = encoding.swapFrameNumber(entry) + distance;
        final boolean exclusive = kind == PteKind.MIGRATION_WRITE || kind == PteKind.MIGRATION_READ_EXCLUSIVE;
        space.anonPages().add(-1);
        space.platform().swap().get(slot);
        space.swapEntries().add(1);
        space.pageTable().store(tableSlot, SwapEntries.of(encoding, slot, entry, exclusive));
    }

    private static void dropOne(final Vma vma, final long tableSlot, final long entry, final long distance) {
        final AddressSpace space = vma.space();
        if (space.encoding().kind(entry).isMigration()) {
            space.anonPages().add(-1);
            space.pageTable().store(tableSlot, space.encoding().empty());
        }
    }

    /** try_to_map_unused_to_zeropage. */
    private static void removeUnusedOne(final Vma vma, final long slot, final long entry, final long distance) {
        final AddressSpace space = vma.space();
        final PteEncoding encoding = space.encoding();
        if (!encoding.kind(entry).isMigration() || vma.has(VmFlags.LOCKED)) {
            removeOne(vma, slot, entry, distance);
            return;
        }
        space.anonPages().add(-1);
        long pte = encoding.mkSpecial(encoding.present(FrameAllocator.ZERO_FRAME, vma.protection()));
        pte = encoding.isSwapSoftDirty(entry) ? encoding.mkSoftDirty(pte) : encoding.clearSoftDirty(pte);
        space.pageTable().store(slot, encoding.isSwapUffdWp(entry) ? encoding.mkUffdWp(pte) : pte);
    }

    /** remove_migration_pte. */
    private static void removeOne(final Vma vma, final long slot, final long entry, final long distance) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final long to = encoding.swapFrameNumber(entry) + distance;
        final PteKind kind = encoding.kind(entry);
        if (kind.isMigration()) {
            platform.frames().get(to);
        }
        // Else an exclusive entry, which the walk takes for one up to 6.14: it becomes a mapping as well. It had a
        // reference, and the kernel takes another, which is never dropped; that is not reproduced.
        final boolean exclusive = kind == PteKind.MIGRATION_WRITE || kind == PteKind.MIGRATION_READ_EXCLUSIVE;
        platform.reverseMap().addMoved(to, exclusive);
        final long pte = platform.frames().has(to, FrameTable.DEVICE_PRIVATE)
                ? devicePrivate(encoding, entry, to)
                : present(platform, vma, entry, to);
        vma.space().pageTable().store(slot, pte);
    }

    private static long devicePrivate(final PteEncoding encoding, final long entry, final long to) {
        final PteKind kind = encoding.kind(entry) == PteKind.MIGRATION_WRITE
                ? PteKind.DEVICE_PRIVATE_WRITE
                : PteKind.DEVICE_PRIVATE_READ;
        return withFlagsOf(encoding, encoding.frameEntry(kind, to), entry);
    }

    private static long present(final Platform platform, final Vma vma, final long entry, final long to) {
        final PteEncoding encoding = platform.encoding();
        final SwapTypes types = encoding.types();
        final long swapEntry = encoding.toSwapEntry(entry);
        long pte = encoding.present(to, vma.protection());
        pte = types.isMigrationYoung(swapEntry) ? encoding.mkYoung(pte) : encoding.mkOld(pte);
        if (types.isMigrationDirty(swapEntry) && platform.frames().isDirty(to)) {
            pte = encoding.mkDirty(pte);
        }
        pte = encoding.isSwapSoftDirty(entry) ? encoding.mkSoftDirty(pte) : encoding.clearSoftDirty(pte);
        if (encoding.kind(entry) == PteKind.MIGRATION_WRITE) {
            return encoding.mkWrite(pte);
        }
        return encoding.isSwapUffdWp(entry) ? encoding.mkUffdWp(pte) : pte;
    }

    /** Scratch of one walk. */
    private static final class Scratch {
        private final NotifierRange range = new NotifierRange();
        private final MappedWalk walk = new MappedWalk();
    }
}
