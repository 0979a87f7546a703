package mmutex.bench.compare;

/** A confidence interval; NaN at both ends if nothing is known. */
record Interval(double low, double high) {
    /** Of a figure that was measured once. */
    static final Interval UNKNOWN = new Interval(Double.NaN, Double.NaN);

    boolean isKnown() {
        return low <= high;
    }
}
