package mmutex.bench.torture.op;

import java.util.Arrays;
import java.util.SplittableRandom;
import mmutex.machine.File;

/**
 * What one hand knows about a file of its own. All its processes map it twice, shared and private; what they have copied is
 * theirs ({@link Copies}). Used by that hand alone.
 */
final class Scroll {
    /** Pages that are mapped; the file may be shorter. */
    static final int PAGES = 20; // more than one fault-around

    private final File file;
    private final long base;
    private final Possible[] contents = new Possible[PAGES];
    private int size = PAGES;

    Scroll(final File file, final long base) {
        this.file = file;
        this.base = base;
        Arrays.fill(contents, Possible.ZERO);
    }

    File file() {
        return file;
    }

    /** Its end, in pages. */
    int size() {
        return size;
    }

    long sharedAddr(final int page) {
        return base + (long) page * World.PAGE;
    }

    long privateAddr(final int page) {
        return sharedAddr(2 * PAGES + page);
    }

    Possible contents(final int page) {
        return contents[page];
    }

    void contents(final int page, final Possible now) {
        contents[page] = now;
    }

    /** The end has moved: what was behind a new one is gone. */
    void truncated(final int pages) {
        size = pages;
        Arrays.fill(contents, pages, PAGES, Possible.ZERO);
    }

    int choosePage(final SplittableRandom dice) {
        return dice.nextInt(PAGES);
    }

    int[] chooseRange(final SplittableRandom dice) {
        final int first = dice.nextInt(PAGES);
        return new int[] {first, first + 1 + dice.nextInt(Math.min(4, PAGES - first))};
    }

    /** One process's private copies of the pages. */
    static final class Copies {
        /** Null: none. */
        private final Possible[] copies;

        private final boolean[] certain;

        Copies() {
            this(new Possible[PAGES], new boolean[PAGES]);
        }

        private Copies(final Possible[] copies, final boolean[] certain) {
            this.copies = copies;
            this.certain = certain;
        }

        Copies forChild() {
            return new Copies(copies.clone(), certain.clone());
        }

        /** A private mapping's page as a look at it finds it. */
        Possible seen(final int page, final Possible file) {
            if (copies[page] == null) {
                return file;
            }
            return certain[page] ? copies[page] : copies[page].or(file);
        }

        /** There is a copy now, and it holds this. */
        void copied(final int page, final Possible now) {
            copies[page] = now;
            certain[page] = true;
        }

        /** There may be a copy now, of what was seen; if there was one for certain, it is unchanged. */
        void mayBeCopied(final int page, final Possible seen) {
            if (copies[page] == null) {
                copies[page] = seen;
                certain[page] = false;
            } else if (!certain[page]) {
                copies[page] = copies[page].or(seen);
            }
        }

        /** A copy may have been made, and written to. */
        void mayHold(final int page, final Possible now) {
            final boolean wasCertain = copies[page] != null && certain[page];
            copies[page] = now;
            certain[page] = wasCertain;
        }

        /** No copies any more, from a page on. */
        void dropped(final int first, final int end) {
            Arrays.fill(copies, first, end, null);
        }
    }
}
