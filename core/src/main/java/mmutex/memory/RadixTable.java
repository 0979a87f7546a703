package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * A radix tree of page tables over virtual page numbers; level 0 is the leaf level (the kernel's PTE table), the root
 * is level {@code levels - 1}. An upper entry is the offset of the child table, 0 = none. An entry of level 1 may instead
 * be <em>huge</em>: a leaf for all pages of the table that would hang there, told by its lowest bit, which offsets never
 * have. A huge entry's slot is looked up as a leaf's is, and comes back negative: {@link #isHuge}, {@link #hugeSlot}.
 *
 * <pre>
 *   virtual page number, 4 levels of 9 bits:   | root 35..27 | 26..18 | 17..9 | leaf 8..0 |
 * </pre>
 *
 * <p>Threads: look-ups and insertions from any thread, without locks. {@link #detachRange} needs the caller to have
 * excluded everybody who may insert in the range.
 */
public final class RadixTable {
    /** Returned where no leaf table exists. */
    public static final long NO_SLOT = -1;

    private static final VarHandle ROOT;
    private static final VarHandle EPOCH;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            ROOT = lookup.findVarHandle(RadixTable.class, "root", long.class);
            EPOCH = lookup.findVarHandle(RadixTable.class, "epoch", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int HUGE_LEVEL = 1;
    private static final long HUGE_BIT = 1;

    private final TableArena arena;
    private final Words entries;
    private final int levels;
    private final int indexBits;
    private final long indexMask;
    private final long emptyLeafEntry;

    @SuppressWarnings("unused") // through ROOT
    private long root;

    @SuppressWarnings("unused") // through EPOCH
    private long epoch;

    /**
     * Creates an empty tree. If not even the root fits the arena ({@link #hasRoot}), the first insertion tries
     * again.
     *
     * @param arena where its tables live
     * @param levels number of levels, at least 2
     * @param indexBits base-2 logarithm of the entries in a table
     * @param emptyLeafEntry value of untouched leaf entries
     */
    public RadixTable(final TableArena arena, final int levels, final int indexBits, final long emptyLeafEntry) {
        this.arena = arena;
        this.entries = arena.entries();
        this.levels = levels;
        this.indexBits = indexBits;
        this.indexMask = (1L << indexBits) - 1;
        this.emptyLeafEntry = emptyLeafEntry;
        rootOrCreate();
    }

    /** Whether there was room for a root. Without one look-ups meet table 0, which is empty for ever. */
    public boolean hasRoot() {
        return root() != TableArena.NO_TABLE;
    }

    private long root() {
        return (long) ROOT.getAcquire(this); // ORDER(table-publish) acquire
    }

    private long rootOrCreate() {
        final long table = root();
        if (table != TableArena.NO_TABLE) {
            return table;
        }
        final long fresh = arena.allocate(0);
        // ORDER(table-publish) volatile compare-and-set, as for every other table.
        if (fresh == TableArena.NO_TABLE || ROOT.compareAndSet(this, TableArena.NO_TABLE, fresh)) {
            return fresh;
        }
        arena.free(fresh);
        return root();
    }

    /** Number of levels. */
    public int levels() {
        return levels;
    }

    /** One more than the highest page number that can be mapped. */
    public long pageLimit() {
        return 1L << (levels * indexBits);
    }

    /** Pages that one entry of a level covers. */
    public long pagesPerEntry(final int level) {
        return 1L << (level * indexBits);
    }

    /** Whether a slot, as {@link #slot} returned it, is that of a huge entry. */
    public static boolean isHuge(final long slot) {
        return slot < NO_SLOT;
    }

    /** The slot proper of the huge entry that {@link #slot} found. */
    public static long hugeSlot(final long slot) {
        return -slot;
    }

    /**
     * Slot of the leaf entry of a page, or {@link #NO_SLOT} if its leaf table does not exist. Under a huge entry the
     * answer is another negative number: {@link #isHuge}.
     */
    public long slot(final long vpn) {
        long table = root();
        long upper = 0;
        for (int shift = (levels - 1) * indexBits; shift > 0; shift -= indexBits) {
            upper = table + ((vpn >>> shift & indexMask) << 3);
            // ORDER(table-publish) acquire: the child's entries are initialised before it can be reached.
            // Pairs with the compare-and-set in slotOrCreate. Litmus: TablePublishStress.
            table = entries.loadAcquire(upper);
            if (table == TableArena.NO_TABLE) {
                return NO_SLOT;
            }
        }
        return (table & HUGE_BIT) == 0 ? table + entryOffset(vpn, 0) : -upper;
    }

    /** The same, sparing the upper levels where the hint still holds. */
    public long slot(final long vpn, final LeafHint hint) {
        // ORDER(leaf-epoch) acquire: no table has left the tree since the hint was made, so it is what a walk would
        // find now.
        // Pairs with the read-modify-write in tableLeaves.
        final long now = (long) EPOCH.getAcquire(this);
        if (hint.key == vpn >>> indexBits && hint.epoch == now && hint.owner == this) {
            return hint.leaf + entryOffset(vpn, 0);
        }
        final long slot = slot(vpn);
        if (slot >= 0) {
            hint.key = vpn >>> indexBits;
            hint.epoch = now;
            hint.leaf = slot - entryOffset(vpn, 0);
            if (hint.owner != this) {
                hint.owner = this;
            }
        }
        return slot;
    }

    /**
     * A table has just been taken out of the tree, by its upper entry: whoever looks up from now on does not reach it. Before
     * the shoot-down that precedes its reuse.
     */
    public void tableLeaves() {
        EPOCH.getAndAdd(this, 1L); // ORDER(leaf-epoch) read-modify-write
    }

    /** Slot of the level-1 entry that covers a page; {@link #NO_SLOT} if its table does not exist. */
    public long upperSlot(final long vpn) {
        long table = root();
        for (int level = levels - 1; level > HUGE_LEVEL; level--) {
            table = entries.loadAcquire(table + entryOffset(vpn, level)); // ORDER(table-publish) acquire
            if (table == TableArena.NO_TABLE) {
                return NO_SLOT;
            }
        }
        return table + entryOffset(vpn, HUGE_LEVEL);
    }

    /** Slot of the level-1 entry that covers a page, creating tables; {@link #NO_SLOT} if the arena is full. */
    public long upperSlotOrCreate(final long vpn) {
        long table = rootOrCreate();
        if (table == TableArena.NO_TABLE) {
            return NO_SLOT;
        }
        for (int level = levels - 1; level > HUGE_LEVEL; level--) {
            final long upper = table + entryOffset(vpn, level);
            table = entries.loadAcquire(upper); // ORDER(table-publish) acquire
            if (table == TableArena.NO_TABLE) {
                table = publish(upper, level);
                if (table == TableArena.NO_TABLE) {
                    return NO_SLOT;
                }
            }
        }
        return table + entryOffset(vpn, HUGE_LEVEL);
    }

    /** A leaf table that is not in the tree yet, all its entries empty; {@link TableArena#NO_TABLE} if there is no room. */
    public long allocateLeaf() {
        return arena.allocate(emptyLeafEntry);
    }

    /**
     * Slot of the leaf entry of a page, creating tables as needed; {@link #NO_SLOT} if the arena is full. A huge entry is
     * left alone and reported as by {@link #slot}.
     */
    public long slotOrCreate(final long vpn) {
        long table = rootOrCreate();
        if (table == TableArena.NO_TABLE) {
            return NO_SLOT;
        }
        long upper = 0;
        for (int level = levels - 1; level > 0; level--) {
            upper = table + entryOffset(vpn, level);
            long child = entries.loadAcquire(upper); // ORDER(table-publish) acquire
            if (child == TableArena.NO_TABLE) {
                child = publish(upper, level);
                if (child == TableArena.NO_TABLE) {
                    return NO_SLOT;
                }
            }
            table = child;
        }
        return (table & HUGE_BIT) == 0 ? table + entryOffset(vpn, 0) : -upper;
    }

    private long publish(final long upper, final int level) {
        final long fresh = arena.allocate(level == 1 ? emptyLeafEntry : 0);
        if (fresh == TableArena.NO_TABLE) {
            return TableArena.NO_TABLE;
        }
        SchedulePoint.before(Step.TABLE_PUBLISH, upper);
        long seen;
        do { // ends: only a huge entry that came and went again makes another round
            // ORDER(table-publish) volatile compare-and-set: the initialised table is visible before the entry that
            // leads to it. Pairs with the acquires in slot and slotOrCreate. Litmus: TablePublishStress.
            if (entries.compareAndSet(upper, TableArena.NO_TABLE, fresh)) {
                return fresh;
            }
            seen = entries.loadAcquire(upper); // ORDER(table-publish) acquire
        } while (seen == TableArena.NO_TABLE);
        arena.free(fresh);
        return seen;
    }

    /** Whether the entry at {@code level} (at least 1) that covers a page leads to a table. */
    public boolean isPopulated(final long vpn, final int level) {
        long table = root();
        for (int l = levels - 1; l >= level; l--) {
            table = entries.loadAcquire(table + entryOffset(vpn, l)); // ORDER(table-publish) acquire
            if (table == TableArena.NO_TABLE) {
                return false;
            }
        }
        return true;
    }

    /**
     * First page at or after {@code vpn} whose leaf table exists, or which a huge entry covers.
     *
     * @return its number, or {@code end} if there is none before {@code end}
     */
    public long nextPopulated(final long vpn, final long end) {
        long page = vpn;
        while (page < end) { // bounded: every round moves page forward or returns
            long table = root();
            int level = levels - 1;
            for (; level > 0; level--) {
                table = entries.loadAcquire(table + entryOffset(page, level)); // ORDER(table-publish) acquire
                if (table == TableArena.NO_TABLE) {
                    break;
                }
            }
            if (level == 0) {
                return page;
            }
            final long covered = pagesPerEntry(level);
            page = (page & -covered) + covered;
        }
        return end;
    }

    /** First page after {@code vpn}'s leaf table, but not after {@code end}. */
    public long leafEnd(final long vpn, final long end) {
        final long next = (vpn | indexMask) + 1;
        return Math.min(next, end);
    }

    /** First page after what the entry at {@code level} covers, but not after {@code end}. */
    public long entryEnd(final long vpn, final int level, final long end) {
        final long covered = pagesPerEntry(level);
        return Math.min((vpn & -covered) + covered, end);
    }

    /**
     * Detaches the tables that lie wholly between two pages (the kernel's {@code free_pgtables}). All leaf entries there
     * are empty, and nobody inserts there any more; but somebody may have read his way into a detached table, so the
     * caller frees them, with {@link TableArena#freeChain}, only after a shoot-down.
     *
     * @return the detached tables, chained, or {@link TableArena#NO_TABLE}
     */
    public long detachRange(final long floor, final long ceiling) {
        return detachBelow(root(), levels - 1, 0, floor, ceiling, TableArena.NO_TABLE);
    }

    /** Detaches every table and the root; the tree is dead afterwards. */
    public long detachAll() {
        return !hasRoot()
                ? TableArena.NO_TABLE
                : arena.chain(root(), detachBelow(root(), levels - 1, 0, 0, pageLimit(), TableArena.NO_TABLE));
    }

    private long detachBelow(
            final long table,
            final int level,
            final long base,
            final long floor,
            final long ceiling,
            final long chained) {
        if (level == 0) {
            return chained;
        }
        long chain = chained;
        final long covered = pagesPerEntry(level);
        final long first = Math.max(floor, base) - base >>> (level * indexBits);
        for (long i = first; i <= indexMask && base + i * covered < ceiling; i++) {
            final long slot = table + i * Long.BYTES;
            final long child = entries.loadAcquire(slot); // ORDER(table-publish) acquire
            if (child == TableArena.NO_TABLE) {
                continue;
            }
            final long start = base + i * covered;
            if ((child & HUGE_BIT) != 0) {
                continue; // a neighbour's: what lies in the range has been unmapped
            }
            chain = detachBelow(child, level - 1, start, floor, ceiling, chain);
            if (start >= floor && start + covered <= ceiling) {
                entries.storeRelease(slot, TableArena.NO_TABLE);
                tableLeaves();
                chain = arena.chain(child, chain);
            }
        }
        return chain;
    }

    private long entryOffset(final long vpn, final int level) {
        return (vpn >>> (level * indexBits) & indexMask) << 3;
    }
}
