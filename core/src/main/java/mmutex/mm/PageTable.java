package mmutex.mm;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.memory.Words;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;
import mmutex.sync.AccessWindows;
import mmutex.sync.Actor;
import mmutex.sync.PteLock;

/**
 * The CPU page table of one address space: packed words in off-heap tables, a lock per leaf table.
 *
 * <p>Rules of O1: an entry is changed by software only under its table's lock, with a release store or a read-modify-
 * write; hardware (an access window) sets young and dirty by compare-and-set without it. A valid entry is never
 * overwritten by load, compute, store: it is cleared atomically, or changed by a compare-and-set loop. Decisions on
 * "still the same" are made under the lock.
 *
 * <p>Huge entries ({@link HugePmd}) stand in the tables of level 1 and follow the same rules; their lock is that of the
 * table they stand in (the kernel's pmd_lock). Only from nothing to something an upper entry changes without it: a leaf
 * table is published by compare-and-set, so whoever installs a huge entry does it by compare-and-set too.
 */
public final class PageTable {
    /** As {@link RadixTable#NO_SLOT}. */
    public static final long NO_SLOT = RadixTable.NO_SLOT;

    private final RadixTable radix;
    private final Words entries;
    private final PteEncoding encoding;
    private final PteLock lock;
    private final AccessWindows windows;

    PageTable(final Platform platform, final AccessWindows windows) {
        this.encoding = platform.encoding();
        this.radix = new RadixTable(platform.tables(), encoding.levels(), encoding.indexBits(), encoding.empty());
        this.entries = platform.tables().entries();
        this.lock = platform.pteLock();
        this.windows = windows;
    }

    /** The tree of tables, for walks over ranges. */
    public RadixTable radix() {
        return radix;
    }

    /** Slot of the entry of an address; {@link #NO_SLOT} if it has no leaf table. */
    public long slot(final long addr) {
        return radix.slot(addr >>> encoding.pageShift());
    }

    /** The same for an actor that was nearby before. */
    public long slot(final Actor actor, final long addr) {
        return radix.slot(addr >>> encoding.pageShift(), actor.leafHint());
    }

    /**
     * ptep_get_lockless: the entry of an address, read in passing. A hint unless something keeps it from changing; empty also
     * without a leaf table, and under a huge entry.
     */
    public long peek(final long addr) {
        final long slot = slot(addr);
        return slot < 0 ? encoding.empty() : load(slot);
    }

    /** Slot of the entry of an address, creating tables; {@link #NO_SLOT} if there is no room for them. */
    public long slotOrCreate(final long addr) {
        return radix.slotOrCreate(addr >>> encoding.pageShift());
    }

    /** Takes the lock of the table that holds the slot. */
    public void lock(final Actor actor, final long slot) {
        lock.lock(actor, slot);
    }

    /** Releases it. */
    public void unlock(final Actor actor, final long slot) {
        lock.unlock(actor, slot);
    }

    /** Reads an entry; without the lock, a hint. */
    public long load(final long slot) {
        SchedulePoint.before(Step.PTE_LOAD, slot);
        // ORDER(pte-publish) acquire: what the entry leads to (frame contents and record) is initialised (O1, O2).
        // Pairs with the release in store. Litmus: PtePublishStress.
        return entries.loadAcquire(slot);
    }

    /** Stores over an entry that is not valid, lock held. */
    public void store(final long slot, final long pte) {
        SchedulePoint.before(Step.PTE_STORE, slot);
        if (SchedulePoint.ENABLED) {
            EntryEvents.changed(this, slot, entries.loadAcquire(slot), pte);
        }
        entries.storeRelease(slot, pte); // ORDER(pte-publish) release
    }

    /** Changes an entry if it still has a value. */
    public boolean compareAndSet(final long slot, final long expected, final long pte) {
        SchedulePoint.before(Step.PTE_CAS, slot);
        final boolean changed = entries.compareAndSet(slot, expected, pte); // ORDER(pte-publish) volatile
        if (SchedulePoint.ENABLED && changed) {
            EntryEvents.changed(this, slot, expected, pte);
        }
        return changed;
    }

    /** Clears an entry in one step and returns what it was, with all that hardware had set (O3). */
    public long getAndClear(final long slot) {
        SchedulePoint.before(Step.PTE_CLEAR, slot);
        final long before = entries.getAndSet(slot, encoding.empty());
        EntryEvents.changed(this, slot, before, encoding.empty());
        return before;
    }

    /** ptep_clear_flush: clears the entry; when this returns, no access under it is running or can begin. */
    public long clearFlush(final Actor actor, final long slot) {
        final long before = getAndClear(slot);
        if (encoding.isPresent(before)) {
            windows.flush(actor);
        }
        return before;
    }

    // ---- huge entries: slots proper, as hugeSlot and upperSlot give them -------------------------------------

    /** Slot of the level-1 entry that covers an address; {@link #NO_SLOT} if its table does not exist. */
    public long upperSlot(final long addr) {
        return radix.upperSlot(addr >>> encoding.pageShift());
    }

    /** Slot of the level-1 entry that covers an address, creating tables; {@link #NO_SLOT} if there is no room. */
    public long upperSlotOrCreate(final long addr) {
        return radix.upperSlotOrCreate(addr >>> encoding.pageShift());
    }

    /** Bytes that a huge entry maps. */
    public long hugeSize() {
        return 1L << encoding.indexBits() + encoding.pageShift();
    }

    /** Reads an upper entry: 0, a table's offset, or a huge entry. */
    public long loadUpper(final long slot) {
        SchedulePoint.before(Step.PTE_LOAD, slot);
        // ORDER(pte-publish) acquire: of a huge entry, as of any leaf. A table's entries: table-publish.
        return entries.loadAcquire(slot);
    }

    /** The huge entry to which a lookup has led; 0 if it has led elsewhere, or the entry is not huge any more. */
    public long loadHuge(final long slot) {
        final long pmd = RadixTable.isHuge(slot) ? loadUpper(RadixTable.hugeSlot(slot)) : 0;
        return HugePmd.isHuge(pmd) ? pmd : 0;
    }

    /** Changes an upper entry if it still has a value; from 0 to a huge entry with the lock held. */
    public boolean compareAndSetUpper(final long slot, final long expected, final long upper) {
        SchedulePoint.before(Step.PTE_CAS, slot);
        final boolean changed = entries.compareAndSet(slot, expected, upper); // ORDER(pte-publish) volatile
        if (SchedulePoint.ENABLED && changed) {
            EntryEvents.upperChanged(this, slot, expected, upper);
        }
        return changed;
    }

    /** Clears an upper entry in one step and returns what it was. Lock held. */
    public long getAndClearUpper(final long slot) {
        SchedulePoint.before(Step.PTE_CLEAR, slot);
        final long before = entries.getAndSet(slot, TableArena.NO_TABLE);
        if (before != TableArena.NO_TABLE && !HugePmd.isHuge(before)) {
            radix.tableLeaves();
        }
        EntryEvents.upperChanged(this, slot, before, TableArena.NO_TABLE);
        return before;
    }

    /** pmd_populate: a leaf table takes the place of an entry that hardware refuses or that is empty. Lock held. */
    public void populate(final long slot, final long leafTable) {
        SchedulePoint.before(Step.TABLE_PUBLISH, slot);
        if (SchedulePoint.ENABLED) {
            EntryEvents.upperChanged(this, slot, entries.loadAcquire(slot), leafTable);
        }
        // ORDER(table-publish) release: the table's entries are stored before it can be reached.
        entries.storeRelease(slot, leafTable);
    }
}
