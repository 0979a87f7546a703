package mmutex.bench.run;

import java.util.Locale;

/** Numbers for people. */
public final class Figures {
    private static final long NANOSECONDS_MAX = 100_000_000;
    private static final long THOUSAND = 1000;
    private static final String[] UNITS = {"", " k", " M", " G", " T"};

    private Figures() {}

    /** {@code 1 843 201}. */
    public static String grouped(final long value) {
        return String.format(Locale.ROOT, "%,d", value).replace(',', ' ');
    }

    /** Nanoseconds, as such as long as they fit a column: {@code 204 118}, {@code 1.25 s}. */
    static String nanoseconds(final long value) {
        return value < NANOSECONDS_MAX ? grouped(value) : String.format(Locale.ROOT, "%.2f s", value / 1e9);
    }

    /** Three digits or so: {@code 21.4 M}. */
    static String compact(final double value) {
        double rest = value;
        int unit = 0;
        while (rest >= THOUSAND && unit < UNITS.length - 1) {
            rest /= THOUSAND;
            unit++;
        }
        final String format = unit == 0 || rest >= 100 ? "%.0f%s" : rest >= 10 ? "%.1f%s" : "%.2f%s";
        return String.format(Locale.ROOT, format, rest, UNITS[unit]);
    }

    /** {@code 49 %}. */
    static String percent(final long part, final long whole) {
        return whole == 0 ? "-" : String.format(Locale.ROOT, "%.0f %%", 100.0 * part / whole);
    }

    /** {@code 5 s} for whole seconds, {@code 0.5 s} otherwise. */
    public static String seconds(final double seconds) {
        return (seconds == Math.rint(seconds)
                        ? String.format(Locale.ROOT, "%d", (long) seconds)
                        : Double.toString(seconds))
                + " s";
    }

    /** {@code 1 page}, {@code 2 pages}. */
    public static String count(final long count, final String noun) {
        return grouped(count) + " " + noun + (count == 1 ? "" : "s");
    }
}
