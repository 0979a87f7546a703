package mmutex.change;

import java.util.List;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.SwapTypes;
import mmutex.memory.FrameTable;
import mmutex.memory.SwapSlots;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.MappedWalk;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
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
        final long pfn = present ? encoding.frameNumber(pte) : encoding.swapFrameNumber(pte);
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

    // ---- every mapping of a frame ---------------------------------------------------------------------------

    /**
     * try_to_migrate: converts every mapping of a locked, referenced frame that is left, in all address spaces. What can't
     * be converted stays; the caller looks at the mapcount.
     */
    static void installEverywhere(final Task task, final Platform platform, final long pfn) {
        final AnonVma anonVma = platform.reverseMap().lockAnonVma(task, pfn);
        if (anonVma == null) {
            return;
        }
        final Scratch scratch = SCRATCH.of(task);
        final long index = platform.frames().index(pfn);
        final List<Vma> vmas = anonVma.vmas();
        for (int i = 0; i < vmas.size() && platform.frames().mapCount(pfn) != 0; i++) {
            if (vmas.get(i).covers(index)) {
                installInVma(task, vmas.get(i), pfn, index, scratch);
            }
        }
        anonVma.lock().readUnlock(task);
    }

    /** try_to_migrate_one. The event goes to every VMA visited, whether or not it maps the frame (E13). */
    private static void installInVma(
            final Task task, final Vma vma, final long pfn, final long index, final Scratch scratch) {
        final AddressSpace space = vma.space();
        final long addr = vma.address(index);
        scratch.range.init(NotifierEvent.CLEAR, addr, addr + space.pageSize());
        space.notifiers().start(task, scratch.range);
        if (scratch.walk.find(task, vma, pfn, index)) {
            final long pte = scratch.walk.pte();
            // Up to 6.14 an exclusive entry is no mapping, and nobody but make, restore, and zap touches it.
            final boolean passedOver = space.encoding().isDeviceExclusive(pte)
                    && !space.platform().profile().exclusiveIsReclaimable();
            if (!passedOver && install(space, scratch.walk.slot(), pte)) {
                space.windows().flush(task);
            }
            scratch.walk.release(task);
        }
        space.notifiers().end(task, scratch.range);
    }

    /**
     * remove_migration_ptes: makes every migration entry of a frame a mapping again, of the same frame or of the one that
     * the page has moved to. Both are locked.
     *
     * @param from the frame that the entries name
     * @param to the frame that they will lead to; it has the reverse-map record of the page
     */
    static void remove(final Task task, final Platform platform, final long from, final long to) {
        replaceAll(task, platform, from, to, MigrationEntries::removeOne, to);
    }

    /** What swap-out makes of the migration entries of an unmapped frame: entries of a slot. Page locked. */
    static void replaceBySwap(final Task task, final Platform platform, final long pfn, final long slot) {
        replaceAll(task, platform, pfn, pfn, MigrationEntries::replaceOne, slot);
    }

    /** What dropping a page makes of them: nothing. Page locked. */
    static void drop(final Task task, final Platform platform, final long pfn) {
        replaceAll(task, platform, pfn, pfn, MigrationEntries::replaceOne, SwapSlots.NONE);
    }

    /** What takes the place of one migration entry; a value more, so that nothing need be captured. */
    @FunctionalInterface
    private interface Replacement {
        void replace(Vma vma, long slot, long entry, long value);
    }

    /** rmap_walk: every migration entry that names a frame; the reverse-map record is another's, if the page has moved. */
    private static void replaceAll(
            final Task task,
            final Platform platform,
            final long named,
            final long recorded,
            final Replacement replacement,
            final long value) {
        final AnonVma anonVma = platform.reverseMap().lockAnonVmaOfMigrated(task, recorded);
        if (anonVma == null) {
            return;
        }
        final MappedWalk walk = SCRATCH.of(task).walk;
        final long index = platform.frames().index(recorded);
        final List<Vma> vmas = anonVma.vmas();
        for (int i = 0; i < vmas.size(); i++) {
            final Vma vma = vmas.get(i);
            if (vma.covers(index) && walk.findMigration(task, vma, named, index)) {
                replacement.replace(vma, walk.slot(), walk.pte(), value);
                walk.release(task);
            }
        }
        anonVma.lock().readUnlock(task);
    }

    private static void replaceOne(final Vma vma, final long tableSlot, final long entry, final long slot) {
        final AddressSpace space = vma.space();
        final PteEncoding encoding = space.encoding();
        final PteKind kind = encoding.kind(entry);
        if (!kind.isMigration()) {
            return; // an exclusive entry, which the walk takes for one up to 6.14
        }
        space.anonPages().add(-1);
        if (slot == SwapSlots.NONE) {
            space.pageTable().store(tableSlot, encoding.empty());
            return;
        }
        final boolean exclusive = kind == PteKind.MIGRATION_WRITE || kind == PteKind.MIGRATION_READ_EXCLUSIVE;
        space.platform().swap().get(slot);
        space.swapEntries().add(1);
        space.pageTable().store(tableSlot, SwapEntries.of(encoding, slot, entry, exclusive));
    }

    /** remove_migration_pte. */
    private static void removeOne(final Vma vma, final long slot, final long entry, final long to) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
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
        if (types.isMigrationDirty(swapEntry) && platform.frames().has(to, FrameTable.DIRTY)) {
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
