package mmutex.bench.run.workload;

import java.util.SplittableRandom;

/**
 * The order in which one actor visits counters: it stays on a page for a while, going round the page's counters, then
 * turns to a page at random. Deterministic for a given source of choices. Used by one thread.
 *
 * <p>A page has {@value #SLOTS} slots for counters, spread evenly; counter {@code i} is slot {@code i % 8} of page
 * {@code i / 8}.
 */
final class Walk {
    static final int SLOTS = 8;

    /** Visits before a page is left. */
    private static final int STAY = 64;

    private final SplittableRandom choices;
    private final int pages;
    private final int firstPage;
    private final int pageStep;
    private final int slots;
    private final int stride;
    private int base;
    private int slot;
    private int left;

    /** A walk over all counters of the first {@code pages} pages. */
    Walk(final SplittableRandom choices, final int pages) {
        this(choices, pages, 0, 1, SLOTS);
    }

    /** A walk over the first {@code slots} counters of the pages {@code firstPage + i * pageStep}. */
    Walk(final SplittableRandom choices, final int pages, final int firstPage, final int pageStep, final int slots) {
        this.choices = choices;
        this.pages = pages;
        this.firstPage = firstPage;
        this.pageStep = pageStep;
        this.slots = slots;
        // Forwards or backwards: both reach every slot, whatever their number.
        this.stride = choices.nextBoolean() ? 1 : slots - 1;
        this.slot = choices.nextInt(slots);
    }

    /** The counter to visit next. */
    int next() {
        if (left == 0) {
            left = STAY;
            base = (firstPage + choices.nextInt(pages) * pageStep) * SLOTS;
        }
        left--;
        slot += stride;
        if (slot >= slots) {
            slot -= slots;
        }
        return base + slot;
    }
}
