package mmutex.exclusive;

import mmutex.layout.PteEncoding;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/**
 * Takes a page that is exclusive already as it is, instead of restoring and making it again: after
 * check_device_exclusive_range of the posted v4 series (March 2021), dropped in v5.
 *
 * <p>An entry does not say to whom it is exclusive, which did not matter to a helper for one device. Here others are told
 * to let go, under the page lock, before the page is handed out: the event is the caller's own, by which he is not hit.
 *
 * <p>Threads: any; the caller holds the mmap lock, shared suffices.
 */
public final class ExclusiveReuse {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private ExclusiveReuse() {}

    /**
     * Locks and references the page's frame if its entry is exclusive.
     *
     * @param page page-aligned
     * @return the frame number (locked, referenced, exclusive), or {@link ExclusiveMaker#NULL_SLOT}
     */
    public static long take(final Task task, final AddressSpace space, final long page, final long owner) {
        final Platform platform = space.platform();
        // 1. A reference, while the entry holds one.
        final long pfn = referenced(task, space, page);
        if (pfn == ExclusiveMaker.NULL_SLOT) {
            return ExclusiveMaker.NULL_SLOT;
        }
        // 2. The page lock: from here on nobody restores the entry or converts it again.
        platform.pageLock().lock(task, pfn);
        // 3. Whoever else maps the page gives it up.
        final NotifierRange range = RANGE.of(task);
        range.init(platform.profile().makeEvent(), page, page + space.pageSize(), owner);
        space.notifiers().start(task, range);
        space.notifiers().end(task, range);
        // 4. Still exclusive, and the same frame? A zap needs no page lock.
        final long still = referenced(task, space, page);
        if (still != ExclusiveMaker.NULL_SLOT) {
            platform.putPage(still);
        }
        if (still == pfn) {
            return pfn;
        }
        platform.pageLock().unlock(task, pfn);
        platform.putPage(pfn);
        return ExclusiveMaker.NULL_SLOT;
    }

    /** The frame of an exclusive entry, referenced. */
    private static long referenced(final Task task, final AddressSpace space, final long page) {
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long slot = table.slot(page);
        if (slot < 0) { // no table, or a huge entry: not exclusive
            return ExclusiveMaker.NULL_SLOT;
        }
        long pfn = ExclusiveMaker.NULL_SLOT;
        table.lock(task, slot);
        final long pte = table.load(slot);
        if (encoding.isDeviceExclusive(pte)) {
            pfn = encoding.swapFrameNumber(pte);
            space.platform().frames().get(pfn);
        }
        table.unlock(task, slot);
        return pfn;
    }
}
