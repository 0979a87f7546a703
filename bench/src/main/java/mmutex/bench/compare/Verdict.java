package mmutex.bench.compare;

/** What an interval of ratios says, given a threshold. */
enum Verdict {
    /** Better by more than the threshold, at all of the interval. */
    FASTER("faster"),
    /** Worse by more than the threshold, at all of the interval. */
    SLOWER("slower"),
    /** All of the interval is within the threshold. */
    SAME("same"),
    /** The interval reaches across the threshold, or there is none: more forks could tell. */
    TOO_NOISY("too noisy");

    private final String word;

    Verdict(final String word) {
        this.word = word;
    }

    String word() {
        return word;
    }

    /**
     * Judges.
     *
     * @param interval of B/A
     * @param threshold as a fraction; a change by it in either direction is the same factor
     */
    static Verdict of(final Interval interval, final Direction direction, final double threshold) {
        final double more = 1 + threshold;
        final double less = 1 / more;
        if (!interval.isKnown()) {
            return TOO_NOISY;
        }
        if (interval.low() >= less && interval.high() <= more) {
            return SAME;
        }
        if (interval.low() > more) {
            return direction == Direction.LOWER_IS_BETTER ? SLOWER : FASTER;
        }
        if (interval.high() < less) {
            return direction == Direction.LOWER_IS_BETTER ? FASTER : SLOWER;
        }
        return TOO_NOISY;
    }
}
