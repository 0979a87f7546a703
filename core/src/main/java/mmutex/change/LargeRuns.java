package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;

/** Entries in a row that map a large folio whole: folio_pte_batch, mm/madvise.c (6.12). Their table's lock is held. */
final class LargeRuns {
    private LargeRuns() {}

    /** Whether an entry maps a page of a large anonymous folio. */
    static boolean isLarge(final AddressSpace space, final long pte) {
        final PteEncoding encoding = space.encoding();
        final FrameTable frames = space.platform().frames();
        return encoding.isPresent(pte)
                && !encoding.isSpecial(pte)
                && frames.isLarge(encoding.frameNumber(pte))
                && frames.has(encoding.frameNumber(pte), FrameTable.ANON);
    }

    /**
     * Whether the entries from this one on, of a large folio's page, map all its pages in order.
     *
     * @param page page number of the entry
     * @param end page number behind the range in question, in the same table
     */
    static boolean isWhole(final AddressSpace space, final long slot, final long page, final long end) {
        final PteEncoding encoding = space.encoding();
        final FrameTable frames = space.platform().frames();
        final int count = frames.compoundFrames();
        if (page + count > end) {
            return false;
        }
        final long folio = frames.head(encoding.frameNumber(space.pageTable().load(slot)));
        for (int i = 0; i < count; i++) {
            final long pte = space.pageTable().load(slot + (long) i * Long.BYTES);
            if (!encoding.isPresent(pte) || encoding.isSpecial(pte) || encoding.frameNumber(pte) != folio + i) {
                return false;
            }
        }
        return true;
    }
}
