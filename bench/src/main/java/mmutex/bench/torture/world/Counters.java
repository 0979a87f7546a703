package mmutex.bench.torture.world;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import mmutex.mm.SemanticProfile;

/**
 * What has been added to the counters, by everybody, after the fact. Some are in pages of their own, some in a range that a
 * large folio may hold: in its head, behind it, and in its last page. Any thread.
 */
public final class Counters {
    /** Pages of counters, side by side. */
    public static final int SMALL_PAGES = 3;

    /** Where there may be a large folio. */
    public static final long FOLIO = World.COUNTERS + (1L << 21);

    private static final int FOLIO_RARELY = 16;
    private static final int[] FOLIO_PAGES = {0, 1, World.FOLIO_PAGES - 1};

    /** All pages of counters, by number: first those side by side, then the large folio's head, then its other ones. */
    public static final int PAGES = SMALL_PAGES + FOLIO_PAGES.length;

    /** Counters in each page. */
    public static final int PER_PAGE = 4;

    private static final int COUNT = PAGES * PER_PAGE;
    private static final int SPACING = 16; // words: a pair of cache lines for each

    private final AtomicLongArray added = new AtomicLongArray(COUNT * SPACING);

    public static int count() {
        return COUNT;
    }

    /** A counter: half of the time the same one, so that all meet there. */
    public static int choose(final SplittableRandom dice) {
        return dice.nextBoolean() ? 0 : dice.nextInt(COUNT);
    }

    /**
     * A counter for a device that computes; rarely one of the large folio's. Up to 6.14 its head takes all 512 pages along, and
     * who then touches them, or collapses them, restores each with a notification of its own.
     */
    public static int chooseForDevice(final SplittableRandom dice, final SemanticProfile profile) {
        final int pages = dice.nextInt(FOLIO_RARELY) == 0 ? devicePages(profile) : SMALL_PAGES;
        return dice.nextBoolean() ? 0 : dice.nextInt(pages * PER_PAGE);
    }

    /**
     * In how many pages devices may have counters exclusively. From 6.15 on, in all. Before, only the head of a large folio can
     * be had; V3 restores the head in the place of all other pages.
     */
    public static int devicePages(final SemanticProfile profile) {
        if (profile.makeOnePage()) {
            return PAGES;
        }
        return profile.restoreConfusesSubpages() ? SMALL_PAGES : SMALL_PAGES + 1;
    }

    /** Where a counter is. */
    public static long addr(final int counter) {
        return pageAddr(counter / PER_PAGE) + (long) (counter % PER_PAGE) * Long.BYTES;
    }

    /** Where a page of counters is. */
    public static long pageAddr(final int page) {
        return page < SMALL_PAGES
                ? World.COUNTERS + (long) page * World.PAGE
                : FOLIO + (long) FOLIO_PAGES[page - SMALL_PAGES] * World.PAGE;
    }

    /** An addition of 1 was performed. */
    public void added(final int counter) {
        added.incrementAndGet(counter * SPACING);
    }

    /** Additions that are known to have been performed. */
    public long sum(final int counter) {
        return added.get(counter * SPACING);
    }
}
