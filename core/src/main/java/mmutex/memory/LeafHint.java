package mmutex.memory;

/**
 * The leaf table that a look-up has led to last, so that the next one, mostly nearby, need not go through the upper levels:
 * what the paging-structure caches of hardware are for. Never stale: {@link RadixTable#slot(long, LeafHint)} believes it only
 * if no table has left the tree since.
 *
 * <p>Threads: one.
 */
public final class LeafHint {
    RadixTable owner;
    /** Page number without the leaf's index. */
    long key = -1;
    /** The tree's epoch from before the leaf was looked up. */
    long epoch;
    /** Offset of the leaf table. */
    long leaf;
}
