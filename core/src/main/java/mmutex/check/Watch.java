package mmutex.check;

import mmutex.mm.EntryEvents;
import mmutex.mm.EntryObserver;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.LockEvents;
import mmutex.sync.LockObserver;

/**
 * The instrumented invariants: what can't be seen in any state, only in how it changes. I15, I16, I19, I22 by every change of
 * an entry, huge ones included, I32 by every lock.
 *
 * <p>Threads: called by all that work; {@link #addTo} by the referee at any time. One at a time is installed in a VM, for one
 * machine.
 */
public final class Watch implements LockObserver, EntryObserver {
    private final WatchLog log = new WatchLog();
    private final LockOrderWatch locks = new LockOrderWatch(log);
    private final EntryWatch entries;
    private final HugeEntryWatch hugeEntries;

    /** Its task takes all driver locks in order, which nobody else may. */
    private volatile Actor referee;

    /** A watch over a machine's address spaces; {@link #install} sets it to work. */
    public Watch(final Platform platform) {
        this.entries = new EntryWatch(platform, log);
        this.hugeEntries = new HugeEntryWatch(platform, log);
    }

    /**
     * Begins to watch; before anything runs on the machine.
     *
     * @throws IllegalStateException if the VM was started without {@code -Dmmutex.schedule=true}
     */
    public void install() {
        LockEvents.install(this);
        EntryEvents.install(this);
    }

    /** Ends watching; nothing runs any more. */
    public void remove() {
        LockEvents.install(null);
        EntryEvents.install(null);
    }

    /** Not to be judged: who takes locks in order to look. */
    void referee(final Actor newReferee) {
        referee = newReferee;
    }

    /** Says what was watched and what was found. */
    void addTo(final CheckReport report) {
        report.looking("I15", "I16", "I19", "I22", "I32");
        log.addTo(report);
    }

    /** Conversions to exclusive seen so far. */
    public long conversions() {
        return entries.conversions();
    }

    /** Huge entries that single ones have taken the place of so far. */
    public long splits() {
        return hugeEntries.splits();
    }

    /** Restores seen so far. */
    public long restores() {
        return entries.restores();
    }

    @Override
    public void changed(final PageTable table, final long slot, final long before, final long after) {
        entries.changed(slot, before, after);
    }

    @Override
    public void upperChanged(final PageTable table, final long slot, final long before, final long after) {
        hugeEntries.changed(slot, before, after);
    }

    @Override
    public void acquiring(
            final Actor actor,
            final LockClass lockClass,
            final long instance,
            final boolean shared,
            final boolean tryOnly) {
        if (actor != referee) {
            final boolean atOnce = tryOnly || lockClass == LockClass.PG && entries.isFresh(instance);
            locks.acquiring(actor, lockClass, shared, atOnce);
        }
    }

    @Override
    public void acquired(final Actor actor, final LockClass lockClass, final long instance, final boolean shared) {
        locks.acquired(actor, lockClass, shared);
    }

    @Override
    public void released(final Actor actor, final LockClass lockClass, final long instance, final boolean shared) {
        locks.released(actor, lockClass, shared);
        if (lockClass == LockClass.PT) {
            entries.released(actor.id());
        }
    }
}
