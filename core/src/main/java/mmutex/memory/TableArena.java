package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Storage of page tables: a region of tables of packed long entries and, beside it, a line of metadata for each.
 *
 * <p>A table is known by the byte offset of its first entry; an entry by its own byte offset, its <em>slot</em>. Table 0
 * is never handed out, so offset 0 means "no table". The metadata lines are {@value #META_LENGTH} bytes apart, so that
 * the lock words of neighbouring tables never share a pair of cache lines.
 *
 * <pre>
 *   metadata:  +0 lock word (PTL)    +8 free link    +16 deposited tables, chained
 * </pre>
 *
 * <p>Threads: any; allocation is lock-free (the same tagged stack as {@link FrameAllocator}).
 */
public final class TableArena {
    /** Means "no table". */
    public static final long NO_TABLE = 0;

    private static final int META_LENGTH = 128;
    private static final int META_SHIFT = 7;
    private static final int LOCK_WORD = 0;
    private static final int FREE_LINK = 8;
    private static final int DEPOSIT = 16;
    private static final int LINK_BITS = 40;
    private static final long LINK_MASK = (1L << LINK_BITS) - 1;
    private static final VarHandle HEAD;
    private static final VarHandle NEXT_FRESH;
    private static final VarHandle IN_USE;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            HEAD = lookup.findVarHandle(TableArena.class, "head", long.class);
            NEXT_FRESH = lookup.findVarHandle(TableArena.class, "nextFresh", long.class);
            IN_USE = lookup.findVarHandle(TableArena.class, "inUse", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Words entries;
    private final Words meta;
    private final int tableShift;
    private final long tableCount;

    @SuppressWarnings("unused") // through HEAD
    private volatile long head;

    @SuppressWarnings("unused") // through NEXT_FRESH
    private volatile long nextFresh = 1;

    @SuppressWarnings("unused") // through IN_USE
    private volatile long inUse;

    /**
     * Creates an empty arena.
     *
     * @param tableShift base-2 logarithm of the bytes in a table
     * @param tableCount tables it may grow to
     */
    public TableArena(final int tableShift, final long tableCount) {
        this.tableShift = tableShift;
        this.tableCount = tableCount;
        this.entries = new Words("page tables", tableCount << tableShift);
        this.meta = new Words("page table metadata", tableCount * META_LENGTH);
    }

    /** The words of all tables. */
    public Words entries() {
        return entries;
    }

    /** The words of all metadata. */
    public Words meta() {
        return meta;
    }

    /** Tables handed out now. */
    public long inUse() {
        return (long) IN_USE.getVolatile(this);
    }

    /** Offset in {@link #meta} of the lock word of the table that holds a slot. */
    public long lockWord(final long slot) {
        return ((slot >>> tableShift) << META_SHIFT) + LOCK_WORD;
    }

    /**
     * Takes a table whose entries all have one value.
     *
     * @return its offset, or {@link #NO_TABLE} if none is left
     */
    public long allocate(final long emptyEntry) {
        long number = pop();
        if (number == 0) {
            number = fresh();
            if (number == 0) {
                return NO_TABLE;
            }
        }
        IN_USE.getAndAdd(this, 1L);
        final long table = number << tableShift;
        if (emptyEntry == 0) {
            entries.fill(table, 1 << tableShift, (byte) 0);
        } else {
            for (long slot = table; slot < table + (1L << tableShift); slot += Long.BYTES) {
                entries.store(slot, emptyEntry);
            }
        }
        return table;
    }

    /** Returns a table that nobody can reach any more. */
    public void free(final long table) {
        IN_USE.getAndAdd(this, -1L);
        final long number = table >>> tableShift;
        long seen;
        do { // lock-free: a failure means that another push or pop succeeded
            seen = (long) HEAD.getVolatile(this);
            meta.storeOpaque((number << META_SHIFT) + FREE_LINK, seen & LINK_MASK);
            // ORDER(table-free-list) volatile compare-and-set: as frame-free-list, for tables.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, number)));
    }

    /**
     * pgtable_trans_huge_deposit: keeps a table for the time when a huge entry in the slot's table is split, which must
     * not fail for want of one. The lock of the slot's table is held.
     */
    public void deposit(final long slot, final long table) {
        final long deposits = (slot >>> tableShift << META_SHIFT) + DEPOSIT;
        meta.storeOpaque(deposits, chain(table, meta.loadOpaque(deposits)));
    }

    /**
     * pgtable_trans_huge_withdraw: takes one back; for every huge entry there is one. The lock is held.
     *
     * @throws IllegalStateException if there is none
     */
    public long withdraw(final long slot) {
        final long deposits = (slot >>> tableShift << META_SHIFT) + DEPOSIT;
        final long table = meta.loadOpaque(deposits);
        if (table == NO_TABLE) {
            throw new IllegalStateException("no table deposited: slot=" + slot);
        }
        meta.storeOpaque(deposits, meta.loadOpaque((table >>> tableShift << META_SHIFT) + FREE_LINK));
        return table;
    }

    /** Puts a detached table before a chain of such; its entries stay readable. */
    long chain(final long table, final long next) {
        meta.storeOpaque((table >>> tableShift << META_SHIFT) + FREE_LINK, next);
        return table;
    }

    /** Returns a chain of detached tables, which nobody can reach any more. */
    public void freeChain(final long first) {
        long table = first;
        while (table != NO_TABLE) {
            final long next = meta.loadOpaque((table >>> tableShift << META_SHIFT) + FREE_LINK);
            free(table);
            table = next;
        }
    }

    private long pop() {
        long seen;
        long number;
        do { // lock-free, as above
            seen = (long) HEAD.getVolatile(this);
            number = seen & LINK_MASK;
            if (number == 0) {
                return 0;
            }
            // ORDER(table-free-list) volatile: the table's last owner is done with it. Pairs with free.
        } while (!HEAD.compareAndSet(this, seen, tagged(seen, meta.loadOpaque((number << META_SHIFT) + FREE_LINK))));
        return number;
    }

    private long fresh() {
        if ((long) NEXT_FRESH.getVolatile(this) >= tableCount) {
            return 0;
        }
        final long number = (long) NEXT_FRESH.getAndAdd(this, 1L);
        if (number >= tableCount) {
            return 0;
        }
        entries.ensure(number << tableShift);
        meta.ensure(number << META_SHIFT);
        return number;
    }

    private static long tagged(final long previous, final long number) {
        return ((previous >>> LINK_BITS) + 1) << LINK_BITS | number;
    }
}
