package mmutex.mm;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.sync.Actor;

/**
 * Finds the entry through which a VMA maps a frame: page_vma_mapped_walk, mm/page_vma_mapped.c (6.12), for frames of one
 * page; semantics 3.11.
 *
 * <p>State after {@link #find} returned true: {@link #slot} holds an entry that maps the frame (present, device-private or
 * exclusive; or, asked for it, a migration entry of it), and its leaf-table lock is held until {@link #release}. After false: nothing is held.
 *
 * <p>Threads: reused by one actor. The caller holds the frame's family lock, so the VMA stays.
 */
public final class MappedWalk {
    private PageTable table;
    private long addr;
    private long slot;
    private long pte;

    /** Looks for the frame in the VMA and, if it is mapped there, locks its entry. */
    public boolean find(final Actor actor, final Vma vma, final long pfn, final long linearIndex) {
        return find(actor, vma, pfn, linearIndex, false);
    }

    /**
     * With PVMW_MIGRATION: looks for a migration entry of the frame instead. Up to 6.14 it also takes an exclusive entry
     * for one.
     */
    public boolean findMigration(final Actor actor, final Vma vma, final long pfn, final long linearIndex) {
        return find(actor, vma, pfn, linearIndex, true);
    }

    private boolean find(
            final Actor actor, final Vma vma, final long pfn, final long linearIndex, final boolean migration) {
        table = vma.space().pageTable();
        addr = vma.address(linearIndex);
        slot = table.slot(addr);
        if (slot == PageTable.NO_SLOT) {
            return false;
        }
        final Platform platform = vma.space().platform();
        // The first look is lockless, to spare the lock where nothing can be found; it is repeated under the lock.
        if (!maps(platform, table.load(slot), pfn, migration)) {
            return false;
        }
        table.lock(actor, slot);
        pte = table.load(slot);
        if (!maps(platform, pte, pfn, migration)) {
            table.unlock(actor, slot);
            return false;
        }
        return true;
    }

    /** Drops the lock. */
    public void release(final Actor actor) {
        table.unlock(actor, slot);
    }

    /** Address of the entry. */
    public long addr() {
        return addr;
    }

    /** Slot of the entry. */
    public long slot() {
        return slot;
    }

    /** The entry as read under the lock. */
    public long pte() {
        return pte;
    }

    /** check_pte. */
    private static boolean maps(final Platform platform, final long pte, final long pfn, final boolean migration) {
        final PteEncoding encoding = platform.encoding();
        if (encoding.isPresent(pte)) {
            return !migration && encoding.frameNumber(pte) == pfn;
        }
        if (encoding.isNone(pte)) {
            return false;
        }
        final PteKind kind = encoding.kind(pte);
        final boolean wanted = migration
                ? kind.isMigration()
                        || kind.isDeviceExclusive() && platform.profile().migrationWalkAcceptsExclusive()
                : kind.isDeviceExclusive() || kind.isDevicePrivate();
        return wanted && encoding.swapFrameNumber(pte) == pfn;
    }
}
