package mmutex.bench.torture.world;

import java.util.Arrays;
import java.util.SplittableRandom;

/** What one hand knows about some pages of its own in one process. Used by that hand alone. */
public final class Plot {
    /** Of a large folio, and of what takes it apart: where pages are treated differently. */
    private static final int[] EDGES = {
        0,
        World.FOLIO_PAGES / 2,
        World.FOLIO_PAGES - 2,
        World.FOLIO_PAGES,
        World.FOLIO_PAGES + 1,
        2 * World.FOLIO_PAGES - 3
    };

    private static final int RANGE_MAX = 4;

    /** One page. */
    public static final class Page {
        public boolean mapped = true;
        public long protection = World.READ_WRITE;
        public boolean inherited = true;
        public boolean wiped;
        public boolean mergeable;
        private boolean lazilyFreed;

        /** The first and the last word. */
        private Possible possible = Possible.ZERO;

        public boolean isReadable() {
            return mapped && protection != 0;
        }

        public boolean isWritable() {
            return mapped && protection == World.READ_WRITE;
        }

        /** Contents that nothing but the owner can change. */
        public void holds(final long value) {
            lazilyFreed = false;
            deviceWrote(value);
        }

        /** What a device writes leaves no trace in the CPU's entry: a lazily freed page may be dropped all the same. */
        public void deviceWrote(final long value) {
            possible = Possible.of(value);
        }

        /** The owner has copied another page here. */
        public void holdsWhat(final Page other) {
            lazilyFreed = false;
            possible = other.lazilyFreed ? other.possible.or(0) : other.possible;
        }

        public void mayHold(final long value) {
            possible = possible.or(value);
        }

        /** MADV_FREE: from now on, until the CPU writes to it, the page may turn into zeros whenever memory is short. */
        public void lazilyFreed() {
            lazilyFreed = true;
        }

        /** Whether reclaim may have dropped it, or may do so at any moment: then there is nothing, not even the mark of a guard. */
        public boolean mayBeDropped() {
            return lazilyFreed;
        }

        /** Whether it may hold what was found; if so, that is what it holds. */
        public boolean admits(final long found) {
            if (possible.admits(found)) {
                deviceWrote(found);
                return true;
            }
            final boolean dropped = lazilyFreed && found == 0;
            if (dropped) {
                holds(0);
            }
            return dropped;
        }

        public String expected() {
            return possible + (lazilyFreed ? " or 0, lazily freed" : "");
        }

        private Page forChild() {
            final Page copy = new Page();
            copy.mapped = mapped && inherited;
            copy.protection = protection;
            copy.wiped = wiped;
            copy.inherited = inherited;
            copy.mergeable = mergeable;
            if (!wiped) {
                copy.possible = possible;
                copy.lazilyFreed = lazilyFreed;
            }
            return copy;
        }
    }

    private final long base;
    private final Page[] pages;

    /** Fresh pages from an address on. */
    public Plot(final long base, final int count) {
        this(base, new Page[count]);
        Arrays.setAll(pages, i -> new Page());
    }

    private Plot(final long base, final Page[] pages) {
        this.base = base;
        this.pages = pages;
    }

    public Page page(final int number) {
        return pages[number];
    }

    /** How many pages. */
    public int count() {
        return pages.length;
    }

    /** Where a page is. */
    public long addr(final int page) {
        return base + (long) page * World.PAGE;
    }

    /** Whether there is room for large folios. */
    public boolean isLarge() {
        return pages.length >= World.FOLIO_PAGES;
    }

    // ---- choices ----------------------------------------------------------------------------------------------

    public int choosePage(final SplittableRandom dice) {
        return isLarge() ? EDGES[dice.nextInt(EDGES.length)] + dice.nextInt(RANGE_MAX - 1) : dice.nextInt(count());
    }

    /** A first page and an end: a few pages, or, where there are large folios, now and then a whole one or half of one. */
    public int[] chooseRange(final SplittableRandom dice) {
        if (isLarge() && dice.nextInt(3) == 0) {
            final int length = dice.nextBoolean() ? World.FOLIO_PAGES : World.FOLIO_PAGES / 2;
            final int first = length * dice.nextInt(count() / length);
            return new int[] {first, first + length};
        }
        final int first = choosePage(dice);
        return new int[] {first, first + 1 + dice.nextInt(Math.min(RANGE_MAX, count() - first))};
    }

    /** A large folio's place. */
    public int[] chooseFolio(final SplittableRandom dice) {
        final int first = World.FOLIO_PAGES * dice.nextInt(count() / World.FOLIO_PAGES);
        return new int[] {first, first + World.FOLIO_PAGES};
    }

    /** A place for so many pages, now and then any. */
    public int chooseDestination(final SplittableRandom dice, final int length) {
        final int last = count() - length;
        if (isLarge() && length % (World.FOLIO_PAGES / 2) == 0) {
            return World.FOLIO_PAGES / 2 * dice.nextInt(last / (World.FOLIO_PAGES / 2) + 1);
        }
        return Math.min(last, isLarge() ? choosePage(dice) : dice.nextInt(last + 1));
    }

    // ---- changes of all pages of a range ------------------------------------------------------------------------

    /** New memory in the place of whatever there was. */
    public void fresh(final int[] range) {
        for (int number = range[0]; number < range[1]; number++) {
            pages[number] = new Page();
        }
    }

    public boolean isAll(final int[] range, final long access) {
        for (int number = range[0]; number < range[1]; number++) {
            final Page page = pages[number];
            if (!page.mapped || (page.protection & access) != access) {
                return false;
            }
        }
        return true;
    }

    /** Pages have moved, over what was there. What is kept of the old range is empty. */
    public void move(final int from, final int count, final int to, final boolean keepOld) {
        for (int i = 0; i < count; i++) {
            final Page old = pages[from + i];
            final Page left = new Page();
            left.mapped = keepOld && old.mapped;
            left.protection = old.protection;
            left.inherited = old.inherited;
            left.wiped = old.wiped;
            left.mergeable = old.mergeable;
            pages[to + i] = old;
            pages[from + i] = left;
        }
    }

    /** What a child forked now finds. */
    public Plot forChild() {
        final Page[] copies = new Page[pages.length];
        Arrays.setAll(copies, i -> pages[i].forChild());
        return new Plot(base, copies);
    }

    /** Whether the range has a hole. */
    public boolean hasHole(final int first, final int end) {
        return firstHole(first, end) < end;
    }

    /** The first unmapped page, or the end. */
    public int firstHole(final int first, final int end) {
        int page = first;
        while (page < end && pages[page].mapped) {
            page++;
        }
        return page;
    }
}
