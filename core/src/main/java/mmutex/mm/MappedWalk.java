package mmutex.mm;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.sync.AccessWindows;
import mmutex.sync.Actor;

/**
 * Finds the entries through which a VMA maps a folio: page_vma_mapped_walk, mm/page_vma_mapped.c (6.12); semantics 3.11.
 * Huge entries are passed over: whoever walks has had them split.
 *
 * <p>State after {@link #find} or {@link #next} returned true: {@link #slot} holds an entry that maps a page of the folio
 * (present, device-private or exclusive; or, asked for it, a migration entry of it), and its leaf-table lock is held, until
 * {@link #release} or the next {@link #next}, which keeps it while the walk stays in that table. After false: nothing is
 * held.
 *
 * <p>Threads: reused by one actor. The caller holds the folio's family lock, so the VMA stays.
 */
public final class MappedWalk {
    private Platform platform;
    private PteEncoding encoding;
    private PageTable table;
    private long folio;
    private int frames;
    private long pageSize;
    private long tableSize;
    private long addr;
    private long end;
    private long slot;
    private long pte;
    private boolean migration;
    private boolean locked;
    private boolean flushDue;
    private AccessWindows windows;

    /**
     * Looks for the folio in the VMA and, if one of its pages is mapped there, locks the first such entry.
     *
     * @param folio first frame
     * @param linearIndex its index; the VMA covers it or one of the folio's other pages
     */
    public boolean find(final Actor actor, final Vma vma, final long folio, final long linearIndex) {
        return find(actor, vma, folio, linearIndex, false);
    }

    /**
     * With PVMW_MIGRATION: looks for a migration entry of the folio instead. Up to 6.14 it also takes an exclusive entry
     * for one.
     */
    public boolean findMigration(final Actor actor, final Vma vma, final long folio, final long linearIndex) {
        return find(actor, vma, folio, linearIndex, true);
    }

    private boolean find(
            final Actor actor, final Vma vma, final long newFolio, final long linearIndex, final boolean newMigration) {
        final AddressSpace space = vma.space();
        if (table != space.pageTable()) { // a stored reference costs a collector's barrier
            table = space.pageTable();
            platform = space.platform();
            encoding = space.encoding();
            windows = space.windows();
        }
        migration = newMigration;
        folio = newFolio;
        frames = platform.frames().folioFrames(folio);
        pageSize = space.pageSize();
        tableSize = table.hugeSize();
        addr = vma.address(Math.max(linearIndex, vma.pageOffset()));
        end = Math.min(vma.end(), vma.address(linearIndex + frames));
        locked = false;
        flushDue = false;
        return advance(actor);
    }

    /** Goes on behind the entry found last. */
    public boolean next(final Actor actor) {
        step(actor);
        return advance(actor);
    }

    private boolean advance(final Actor actor) {
        while (addr < end) {
            if (!locked) {
                slot = table.slot(addr);
                if (slot < 0) {
                    addr = (addr & -tableSize) + tableSize;
                    continue;
                }
                // The first look is lockless, to spare the lock where nothing can be found; it is repeated under the
                // lock.
                if (maps(table.load(slot))) {
                    table.lock(actor, slot);
                    locked = true;
                }
            }
            if (locked) {
                pte = table.load(slot);
                if (maps(pte)) {
                    return true;
                }
            }
            step(actor);
        }
        if (locked) {
            release(actor);
        }
        return false;
    }

    /** One page on; the lock is given back at the end of its table. */
    private void step(final Actor actor) {
        addr += pageSize;
        if (locked && (addr & tableSize - 1) == 0) {
            release(actor);
        }
        slot += Long.BYTES;
    }

    /** The caller has cleared a valid entry: there will be a shoot-down before the table's lock is given back. */
    public void flushBeforeRelease() {
        flushDue = true;
    }

    /** Drops the lock. */
    public void release(final Actor actor) {
        if (flushDue) {
            windows.flush(actor);
            flushDue = false;
        }
        table.unlock(actor, slot);
        locked = false;
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
    private boolean maps(final long entry) {
        if (encoding.isPresent(entry)) {
            return !migration && isOurs(encoding.frameNumber(entry));
        }
        if (encoding.isNone(entry)) {
            return false;
        }
        final PteKind kind = encoding.kind(entry);
        final boolean wanted = migration
                ? kind.isMigration()
                        || kind.isDeviceExclusive() && platform.profile().migrationWalkAcceptsExclusive()
                : kind.isDeviceExclusive() || kind.isDevicePrivate();
        return wanted && isOurs(encoding.swapFrameNumber(entry));
    }

    private boolean isOurs(final long pfn) {
        return pfn >= folio && pfn < folio + frames;
    }
}
