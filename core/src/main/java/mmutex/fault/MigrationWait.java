package mmutex.fault;

import mmutex.layout.PteEncoding;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.sync.ActorLocal;
import mmutex.sync.PageLock;
import mmutex.sync.Wait;

/**
 * Waits until a page that is being moved has arrived: migration_entry_wait, mm/migrate.c (6.12); semantics 3.2.
 *
 * <p>The waiter holds no reference on the frame: whoever moves the page counts references, and would find one too many. So
 * the frame may be freed meanwhile, and be somebody else's. That is harmless, since frame records never go away and a wait
 * for an unlock changes nothing; and the wait is over as soon as the entry is another one. The kernel queues itself under
 * the leaf-table lock instead, and then never looks at the page again.
 *
 * <p>The caller holds the mmap or VMA lock, so the entry's table stays. Whoever has the page locked needs neither.
 */
public final class MigrationWait implements PageLock.Reason {
    private static final ActorLocal<MigrationWait> WAIT = new ActorLocal<>(MigrationWait::new);

    private PageTable table;
    private long slot;
    private long pte;

    private MigrationWait() {}

    /**
     * Returns when the page that an entry names is not locked, or the entry is another one.
     *
     * @param pte a migration entry, or a device-private one whose page is locked, read without its lock
     */
    public static void await(final Task task, final AddressSpace space, final long slot, final long pte) {
        final PteEncoding encoding = space.encoding();
        final MigrationWait wait = WAIT.of(task);
        wait.table = space.pageTable();
        wait.slot = slot;
        wait.pte = pte;
        // The lock is the folio's; if that has been split meanwhile, the next look leads to the page's own.
        final long folio = space.platform().frames().head(encoding.swapFrameNumber(pte));
        space.platform().pageLock().waitUnlockedUnreferenced(task, folio, wait);
    }

    /**
     * A page in a device's memory could not be brought back, since somebody else has a reference on it: another fault on
     * it, as a rule, which fails for the same reason. The kernel comes again at once, and up to 6.14 may do so for ever.
     * Here the fault waits until the reference is gone; a device's worker serves its ring meanwhile, which the others may
     * be waiting for. Ends with a fatal signal, too.
     */
    static void awaitUnused(final Task task, final AddressSpace space, final long slot, final long pte) {
        final FrameTable frames = space.platform().frames();
        final long pfn = space.encoding().swapFrameNumber(pte);
        final PageTable table = space.pageTable();
        final Wait wait = task.startWait(null, pfn);
        do { // ends when the others are done, or one of them has moved the page
            wait.pause();
        } while (table.load(slot) == pte && frames.refCount(pfn) > frames.mapCount(pfn) && !task.isKilled());
        wait.finish();
    }

    @Override
    public boolean remains() {
        return table.load(slot) == pte;
    }
}
