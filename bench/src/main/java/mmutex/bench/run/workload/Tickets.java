package mmutex.bench.run.workload;

/**
 * What one actor put down and picked up by exchanges of one width. Over all actors, what was put down (and the zeros
 * that lay there at first) must be what was picked up (and what lies there at last): the same tickets, each as often.
 *
 * <p>Nothing is kept per ticket, so a run may last for days: per actor and cell only a sum of hashes, which differs if any
 * ticket was lost (but for a chance of 2^-64), and how many tickets of each origin were picked up, which tells how many.
 *
 * <pre>
 *   64 bits:  origin 63..40 | number 39..0        32 bits:  origin 31..25 | number 24..0
 * </pre>
 *
 * Numbers may wrap: the same ticket put down twice is then expected twice. Used by one thread.
 */
final class Tickets {
    /** Origins that a 32-bit ticket can name; origin 0 is the initial zero. */
    static final int ORIGINS_MAX = 128;

    private static final int NUMBER_BITS_64 = 40;
    private static final int NUMBER_BITS_32 = 25;

    private final int numberBits;
    private final long origin;
    private final long[] picked = new long[ORIGINS_MAX];
    private long put;
    private long hash;

    /**
     * An actor's tickets.
     *
     * @param origin the actor, 1 to {@value #ORIGINS_MAX} - 1
     */
    Tickets(final boolean isLong, final int origin) {
        this.numberBits = isLong ? NUMBER_BITS_64 : NUMBER_BITS_32;
        this.origin = origin;
    }

    /** The ticket to put down next; not yet counted. */
    long next() {
        return origin << numberBits | put & (1L << numberBits) - 1;
    }

    /** {@link #next} was exchanged for {@code found}. */
    void exchanged(final int counter, final long found) {
        hash += hash(counter, next()) - hash(counter, ticket(found));
        put++;
        picked[originOf(found)]++;
    }

    /** At the end: {@code found} lies there, and 0 lay there at the beginning. */
    void remains(final int counter, final long found) {
        hash += hash(counter, 0) - hash(counter, ticket(found));
        picked[originOf(found)]++;
    }

    /** Tickets put down. */
    long put() {
        return put;
    }

    /** 0, over all actors and cells, unless a ticket was lost. */
    long hash() {
        return hash;
    }

    /** Tickets of an origin picked up. */
    long picked(final int from) {
        return picked[from];
    }

    private int originOf(final long found) {
        // A word that is no ticket at all counts for some origin; the hash tells.
        return (int) (ticket(found) >>> numberBits) & ORIGINS_MAX - 1;
    }

    /** 32-bit tickets are not sign-extended. */
    private long ticket(final long found) {
        return numberBits == NUMBER_BITS_32 ? found & 0xffff_ffffL : found;
    }

    private static long hash(final int counter, final long ticket) {
        return Stage.mix(Stage.mix(ticket + 1) + counter);
    }
}
