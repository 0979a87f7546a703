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
        boolean mergeable;
        private boolean lazilyFreed;

        /** The first and the last word: all that they may be, until somebody looks. */
        private final Set<Long> possible = new HashSet<>(Set.of(0L));

        boolean isReadable() {
            return mapped && protection != 0;
        }

        boolean isWritable() {
            return mapped && protection == World.READ_WRITE;
        }

        /** Contents that nothing but the owner can change. */
        void holds(final long value) {
            lazilyFreed = false;
            deviceWrote(value);
        }

        /** What a device writes leaves no trace in the CPU's entry: a lazily freed page may be dropped all the same. */
        void deviceWrote(final long value) {
            possible.clear();
            possible.add(value);
        }

        void mayHold(final long value) {
            possible.add(value);
        }

        /** MADV_FREE: from now on, until the CPU writes to it, the page may turn into zeros whenever memory is short. */
        void lazilyFreed() {
            lazilyFreed = true;
        }

        /** Whether reclaim may have dropped it, or may do so at any moment: then there is nothing, not even the mark of a guard. */
        boolean mayBeDropped() {
            return lazilyFreed;
        }

        /** Whether it may hold what was found; if so, that is what it holds. */
        boolean admits(final long found) {
            if (possible.contains(found)) {
                deviceWrote(found);
                return true;
            }
            final boolean dropped = lazilyFreed && found == 0;
            if (dropped) {
                holds(0);
            }
            return dropped;
        }

        String expected() {
            return possible.stream()
                            .map(value -> "0x" + Long.toHexString(value))
                            .collect(Collectors.joining(" or "))
                    + (lazilyFreed ? " or 0, lazily freed" : "");
        }

        private Page forChild() {
            final Page copy = new Page();
            copy.mapped = mapped && inherited;
            copy.protection = protection;
            copy.wiped = wiped;
            copy.inherited = inherited;
            copy.mergeable = mergeable;
            if (!wiped) {
                copy.possible.clear();
                copy.possible.addAll(possible);
                copy.lazilyFreed = lazilyFreed;
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
            left.mergeable = old.mergeable;
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
