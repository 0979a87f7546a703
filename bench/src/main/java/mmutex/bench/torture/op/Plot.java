package mmutex.bench.torture.op;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** What one hand knows about its own pages in one process. Used by that hand alone. */
final class Plot {
    /** One page. */
    static final class Page {
        boolean mapped = true;
        long protection = World.READ_WRITE;
        boolean inherited = true;
        boolean wiped;

        /** The first and the last word: all that they may be, until somebody looks. */
        private final Set<Long> possible = new HashSet<>(Set.of(0L));

        boolean isReadable() {
            return mapped && protection != 0;
        }

        boolean isWritable() {
            return mapped && protection == World.READ_WRITE;
        }

        void holds(final long value) {
            possible.clear();
            possible.add(value);
        }

        void mayHold(final long value) {
            possible.add(value);
        }

        /** Whether it may hold what was found; if so, that is what it holds. */
        boolean admits(final long found) {
            final boolean admitted = possible.contains(found);
            if (admitted) {
                holds(found);
            }
            return admitted;
        }

        String expected() {
            return possible.stream()
                    .map(value -> "0x" + Long.toHexString(value))
                    .collect(Collectors.joining(" or "));
        }

        private Page forChild() {
            final Page copy = new Page();
            copy.mapped = mapped && inherited;
            copy.protection = protection;
            copy.wiped = wiped;
            copy.inherited = inherited;
            if (!wiped) {
                copy.possible.clear();
                copy.possible.addAll(possible);
            }
            return copy;
        }
    }

    private final Page[] pages;

    Plot() {
        this(new Page[World.PLOT_PAGES]);
        Arrays.setAll(pages, i -> new Page());
    }

    private Plot(final Page[] pages) {
        this.pages = pages;
    }

    Page page(final int number) {
        return pages[number];
    }

    /** Pages have moved, over what was there. What is kept of the old range is empty. */
    void move(final int from, final int count, final int to, final boolean keepOld) {
        for (int i = 0; i < count; i++) {
            final Page old = pages[from + i];
            final Page left = new Page();
            left.mapped = keepOld && old.mapped;
            left.protection = old.protection;
            left.inherited = old.inherited;
            left.wiped = old.wiped;
            pages[to + i] = old;
            pages[from + i] = left;
        }
    }

    /** What a child forked now finds. */
    Plot forChild() {
        final Page[] copies = new Page[pages.length];
        Arrays.setAll(copies, i -> pages[i].forChild());
        return new Plot(copies);
    }

    /** Whether the range has a hole. */
    boolean hasHole(final int first, final int end) {
        return firstHole(first, end) < end;
    }

    /** The first unmapped page, or the end. */
    int firstHole(final int first, final int end) {
        int page = first;
        while (page < end && pages[page].mapped) {
            page++;
        }
        return page;
    }
}
