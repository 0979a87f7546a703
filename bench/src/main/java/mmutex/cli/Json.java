package mmutex.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Prints what commands put together for machines. */
public final class Json {
    private Json() {}

    /** Maps, lists, numbers, strings, in one line. */
    public static String line(final Object value) {
        try {
            return new ObjectMapper().writeValueAsString(value);
        } catch (final JsonProcessingException e) {
            throw new IllegalStateException("maps of numbers and strings are JSON", e);
        }
    }

    /** A number with three decimals; null for NaN, which JSON does not know. */
    public static Double rounded(final double value) {
        return Double.isNaN(value) ? null : Math.round(value * 1000) / 1000.0;
    }
}
