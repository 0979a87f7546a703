package mmutex.mm;

import mmutex.seam.SchedulePoint;

/** Where page tables announce changes of entries to an observer; dead code when the seam is off. */
public final class EntryEvents {
    private static volatile EntryObserver observer;

    private EntryEvents() {}

    /**
     * Installs the observer; null removes it.
     *
     * @throws IllegalStateException if the VM was started without {@code -Dmmutex.schedule=true}
     */
    public static void install(final EntryObserver newObserver) {
        if (!SchedulePoint.ENABLED) {
            throw new IllegalStateException("entry events are off: start the VM with -Dmmutex.schedule=true");
        }
        observer = newObserver;
    }

    static void upperChanged(final PageTable table, final long slot, final long before, final long after) {
        if (SchedulePoint.ENABLED) {
            final EntryObserver o = observer;
            if (o != null) {
                o.upperChanged(table, slot, before, after);
            }
        }
    }

    static void changed(final PageTable table, final long slot, final long before, final long after) {
        if (SchedulePoint.ENABLED) {
            final EntryObserver o = observer;
            if (o != null) {
                o.changed(table, slot, before, after);
            }
        }
    }
}
