package mmutex.mm;

/**
 * Told about every change of a page-table entry when {@link mmutex.seam.SchedulePoint#ENABLED}; nobody's cost otherwise.
 *
 * <p>Threads: called by the thread that makes the change. A change by software is announced while the leaf-table lock is
 * held; what hardware sets (young, dirty) may be announced late, after others have changed the entry again.
 */
public interface EntryObserver {
    /**
     * An entry changes.
     *
     * @param slot of the entry
     * @param before what it said
     * @param after what it says from now on
     */
    void changed(PageTable table, long slot, long before, long after);

    /**
     * A huge entry changes, comes, or goes; a leaf table that takes its place is complete, but nobody has reached it yet.
     * Leaf tables that come where nothing was are not announced: no page is mapped by that.
     *
     * @param slot of the upper entry
     * @param before what it said: nothing (0), a leaf table's offset, or a {@link mmutex.layout.HugePmd}
     * @param after what it says from now on
     */
    void upperChanged(PageTable table, long slot, long before, long after);
}
