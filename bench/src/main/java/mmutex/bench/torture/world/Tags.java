package mmutex.bench.torture.world;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Words that say where they were written, by which process, and when: a word that turns up anywhere else is somebody else's
 * data.
 *
 * <pre>
 *   63       56 55      48 47        32 31         0
 *   | 0xA7     | page     | lineage    | stamp      |
 * </pre>
 *
 * <p>Threads: any.
 */
public final class Tags {
    private static final long MAGIC = 0xA7L << 56;
    private static final long MAGIC_MASK = 0xFFL << 56;
    private static final int PAGE_SHIFT = 48;
    private static final int LINEAGE_SHIFT = 32;
    private static final int LINEAGES = 1 << 16;

    private final AtomicLong stamp = new AtomicLong();
    private final AtomicLong lineages = new AtomicLong();

    /** The process that everything starts with. */
    public static final int ROOT_LINEAGE = 0;

    /** A new process. After 65535 of them numbers are used again, long after their first bearers have gone. */
    public int newLineage() {
        return (int) (1 + lineages.getAndIncrement() % (LINEAGES - 1));
    }

    /** A tag for a page, made just before it is written. */
    public long make(final int page, final int lineage) {
        return MAGIC
                | (long) page << PAGE_SHIFT
                | (long) lineage << LINEAGE_SHIFT
                | stamp.incrementAndGet() & 0xFFFF_FFFFL;
    }

    /** The stamp of the latest tag made by anybody. */
    public long now() {
        return stamp.get();
    }

    /** Whether a word is a tag for a page. */
    public static boolean isFor(final long word, final int page) {
        return isTag(word) && page(word) == page;
    }

    /** Whether the process that everything starts with wrote a tag. */
    public static boolean isByRoot(final long tag) {
        return lineage(tag) == ROOT_LINEAGE;
    }

    public static boolean isTag(final long word) {
        return (word & MAGIC_MASK) == MAGIC;
    }

    public static int page(final long tag) {
        return (int) (tag >>> PAGE_SHIFT & 0xFF);
    }

    public static int lineage(final long tag) {
        return (int) (tag >>> LINEAGE_SHIFT & LINEAGES - 1);
    }

    public static long stamp(final long tag) {
        return tag & 0xFFFF_FFFFL;
    }
}
