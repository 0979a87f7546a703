package mmutex.bench.nativefloor;

/**
 * One measured thing: its distribution, in ns, or why there is none.
 *
 * @param name of the row, unique in its program
 * @param count samples; 0 if unavailable
 * @param mean of the samples
 * @param median of the samples
 * @param p99 their 99th percentile
 * @param max the largest
 * @param unavailable why it could not be measured here; null if it could
 */
public record NativeRow(
        String name, long count, double mean, double median, double p99, double max, String unavailable) {
    /** A row without figures. */
    public static NativeRow unavailable(final String name, final String reason) {
        return new NativeRow(name, 0, Double.NaN, Double.NaN, Double.NaN, Double.NaN, reason);
    }

    /** Whether there are figures. */
    public boolean isAvailable() {
        return unavailable == null;
    }
}
