package mmutex.stress.litmus.support;

import java.util.concurrent.atomic.AtomicInteger;
import mmutex.memory.Words;

/**
 * The off-heap places of a test's states. A state must not allocate direct memory: jcstress makes millions of them. So
 * each takes the next place, round and round; there are more than three times as many as jcstress keeps states alive.
 *
 * <p>Two words of a place, {@link #NEAR} and {@link #FAR}, lie on cache lines that are no neighbours.
 *
 * <p>Threads: any.
 */
public final class Slab {
    /** Places; jcstress holds at most 40 strides of 256 states. */
    public static final int PLACES = 1 << 15;

    /** Offset in a place of its first words. */
    public static final long NEAR = 0;
    /** Offset in a place of words that share no cache line with the first, nor a pair of lines. */
    public static final long FAR = 128;

    private static final int PLACE_SHIFT = 8;
    private static final Words WORDS = new Words("litmus states", (long) PLACES << PLACE_SHIFT);
    private static final AtomicInteger NEXT = new AtomicInteger();

    static {
        for (long offset = 0; offset < WORDS.capacity(); offset += Words.SEGMENT_LENGTH) {
            WORDS.ensure(offset);
        }
    }

    private Slab() {}

    /** The words of all places. */
    public static Words words() {
        return WORDS;
    }

    /** Number of the next place, its words zeroed. For constructors of states. */
    public static int next() {
        final int place = NEXT.getAndIncrement() & PLACES - 1;
        for (long i = 0; i < 1L << PLACE_SHIFT; i += Long.BYTES) {
            WORDS.storeOpaque(offset(place) + i, 0);
        }
        return place;
    }

    /** Offset of a place. */
    public static long offset(final int place) {
        return (long) place << PLACE_SHIFT;
    }
}
