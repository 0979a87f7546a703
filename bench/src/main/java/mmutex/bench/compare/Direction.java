package mmutex.bench.compare;

/** Which of two figures is the better one. */
enum Direction {
    /** Times. */
    LOWER_IS_BETTER,
    /** Rates. */
    HIGHER_IS_BETTER
}
