package mmutex.bench.torture.world;

import java.util.Arrays;
import java.util.SplittableRandom;
import mmutex.machine.File;

/**
 * What one hand knows about a file of its own. All its processes map it twice, shared and private; what they have copied is
 * theirs ({@link Copies}). Used by that hand alone.
 */
public final class Scroll {
    /** Pages that are mapped; the file may be shorter. */
    public static final int PAGES = 20; // more than one fault-around

    private final File file;
    private final long base;
    private final Possible[] contents = new Possible[PAGES];
    private int size = PAGES;

    public Scroll(final File file, final long base) {
        this.file = file;
        this.base = base;
        Arrays.fill(contents, Possible.ZERO);
    }

    public File file() {
        return file;
    }

    /** Its end, in pages. */
    public int size() {
        return size;
    }

    /** Where a page is mapped, shared or private. */
    public long addr(final int page, final boolean shared) {
        return base + (shared ? page : 2 * PAGES + page) * (long) World.PAGE;
    }

    public Possible contents(final int page) {
        return contents[page];
    }

    public void contents(final int page, final Possible now) {
        contents[page] = now;
    }

    /** The end has moved: what was behind a new one is gone. */
    public void truncated(final int pages) {
        size = pages;
        Arrays.fill(contents, pages, PAGES, Possible.ZERO);
    }

    public int choosePage(final SplittableRandom dice) {
        return dice.nextInt(PAGES);
    }

    public int[] chooseRange(final SplittableRandom dice) {
        final int first = dice.nextInt(PAGES);
        return new int[] {first, first + 1 + dice.nextInt(Math.min(4, PAGES - first))};
    }

    /** One process's private copies of the pages. */
    public static final class Copies {
        /** Null: none. */
        private final Possible[] copies;

        private final boolean[] certain;

        public Copies() {
            this(new Possible[PAGES], new boolean[PAGES]);
        }

        private Copies(final Possible[] copies, final boolean[] certain) {
            this.copies = copies;
            this.certain = certain;
        }

        public Copies forChild() {
            return new Copies(copies.clone(), certain.clone());
        }

        /** A private mapping's page as a look at it finds it. */
        public Possible seen(final int page, final Possible file) {
            if (copies[page] == null) {
                return file;
            }
            return certain[page] ? copies[page] : copies[page].or(file);
        }

        /** There is a copy now, and it holds this. */
        public void copied(final int page, final Possible now) {
            copies[page] = now;
            certain[page] = true;
        }

        /** There may be a copy now, of what was seen; if there was one for certain, it is unchanged. */
        public void mayBeCopied(final int page, final Possible seen) {
            if (copies[page] == null) {
                copies[page] = seen;
                certain[page] = false;
            } else if (!certain[page]) {
                copies[page] = copies[page].or(seen);
            }
        }

        /** A copy may have been made, and written to. */
        public void mayHold(final int page, final Possible now) {
            final boolean wasCertain = copies[page] != null && certain[page];
            copies[page] = now;
            certain[page] = wasCertain;
        }

        /** No copies any more, from a page on. */
        public void dropped(final int first, final int end) {
            Arrays.fill(copies, first, end, null);
        }
    }
}
