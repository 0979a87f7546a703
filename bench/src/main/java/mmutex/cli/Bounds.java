package mmutex.cli;

import java.util.Locale;

/** Range checks for option values; a value outside is a {@link UsageProblem} that names the option and the range. */
public final class Bounds {
    private Bounds() {}

    /** Returns {@code value} if it lies in {@code min..max}; {@code name} is the option as the user types it. */
    public static int check(final String name, final int value, final int min, final int max) {
        return (int) check(name, (long) value, min, max);
    }

    /** As for {@code int}. A {@code max} of {@link Long#MAX_VALUE} means that there is none. */
    public static long check(final String name, final long value, final long min, final long max) {
        if (value < min || value > max) {
            final String range = max == Long.MAX_VALUE ? "at least " + min : min + " to " + max;
            throw new UsageProblem(name + " must be " + range + ", was " + value);
        }
        return value;
    }

    /** As for {@code long}; NaN is outside every range. */
    public static double check(final String name, final double value, final double min, final double max) {
        if (!(value >= min && value <= max)) {
            final String range =
                    max == Double.POSITIVE_INFINITY ? "at least " + plain(min) : plain(min) + " to " + plain(max);
            throw new UsageProblem(name + " must be " + range + ", was " + plain(value));
        }
        return value;
    }

    /** A whole number without {@code .0}, as the user would type it. */
    private static String plain(final double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.format(Locale.ROOT, "%d", (long) value)
                : Double.toString(value);
    }
}
