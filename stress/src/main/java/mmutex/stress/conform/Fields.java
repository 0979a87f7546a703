package mmutex.stress.conform;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The fields of one JSON object, read by name. Missing ones, ones of another type and, at {@link #finish}, ones that
 * nobody asked for are reported.
 */
final class Fields {
    private final JsonNode object;
    private final String what;
    private final Set<String> read = new HashSet<>();

    /**
     * @param node what should be an object
     * @param what names it in messages, as in {@code 'args'}
     */
    Fields(final JsonNode node, final String what) throws BadRecording {
        if (!node.isObject()) {
            throw new BadRecording(what + " must be an object");
        }
        this.object = node;
        this.what = what;
    }

    /** Whether the field is there. */
    boolean has(final String name) {
        return object.has(name);
    }

    /** The field's value. */
    JsonNode required(final String name) throws BadRecording {
        final JsonNode value = optional(name);
        if (value == null) {
            throw new BadRecording("'" + name + "' is missing");
        }
        return value;
    }

    /** The field's value, or null. */
    JsonNode optional(final String name) {
        read.add(name);
        return object.get(name);
    }

    String text(final String name) throws BadRecording {
        return text(name, required(name));
    }

    /** A string that is all there is to a field. */
    static String text(final String name, final JsonNode value) throws BadRecording {
        if (!value.isTextual()) {
            throw new BadRecording("'" + name + "' must be a string, was " + shown(value));
        }
        return value.textValue();
    }

    /** An integer within bounds. */
    static long integer(final String name, final JsonNode value, final long min, final long max) throws BadRecording {
        if (!value.isIntegralNumber()) {
            throw new BadRecording("'" + name + "' must be an integer, was " + shown(value));
        }
        if (!value.canConvertToLong() || value.longValue() < min || value.longValue() > max) {
            final String range = max == Long.MAX_VALUE ? "at least " + min : min + " to " + max;
            throw new BadRecording("'" + name + "' must be " + range + ", was " + value);
        }
        return value.longValue();
    }

    /** The elements of an array. */
    static List<JsonNode> array(final String name, final JsonNode value) throws BadRecording {
        if (!value.isArray()) {
            throw new BadRecording("'" + name + "' must be an array, was " + shown(value));
        }
        final List<JsonNode> elements = new ArrayList<>();
        value.forEach(elements::add);
        return elements;
    }

    /** Reports the first field that nobody read. */
    void finish() throws BadRecording {
        for (final Map.Entry<String, JsonNode> field : object.properties()) {
            if (!read.contains(field.getKey())) {
                throw new BadRecording("unknown field '" + field.getKey() + "' in " + what);
            }
        }
    }

    /** A value as it stands in the file, or as much of it as fits a line. */
    static String shown(final JsonNode value) {
        final String text = value.toString();
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }
}
