package mmutex.bench.nativefloor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a program printed: the object that {@code bench/native/floor.h} describes.
 *
 * @param program its name
 * @param clockNs what two readings of its clock in a row are apart, which has been subtracted from each sample; NaN if it
 *     failed
 * @param rows by name, in the program's order
 * @param notes remarks for people
 * @param failure why there are no rows at all; null if the program ended well
 */
public record NativeResult(
        String program, double clockNs, Map<String, NativeRow> rows, List<String> notes, String failure) {
    /** A row by its name; if the program has printed none of that name, one that says why. */
    public NativeRow row(final String name) {
        final NativeRow row = rows.get(name);
        return row != null
                ? row
                : NativeRow.unavailable(name, failure != null ? failure : program + " printed no such row");
    }

    static NativeResult failed(final String program, final String reason) {
        return new NativeResult(program, Double.NaN, Map.of(), List.of(), reason);
    }

    /**
     * Reads a program's output.
     *
     * @throws IllegalArgumentException if it is not what a program prints
     */
    static NativeResult parse(final String json) {
        final JsonNode object;
        try {
            object = new ObjectMapper().readTree(json);
        } catch (final JsonProcessingException e) {
            throw new IllegalArgumentException("no JSON: " + e.getOriginalMessage(), e);
        }
        if (!object.path("program").isTextual() || !object.path("rows").isArray()) {
            throw new IllegalArgumentException("neither program nor rows: " + json.strip());
        }
        final Map<String, NativeRow> rows = new LinkedHashMap<>();
        for (final JsonNode row : object.path("rows")) {
            final NativeRow parsed = row(row);
            if (rows.put(parsed.name(), parsed) != null) {
                throw new IllegalArgumentException("a row twice: " + parsed.name());
            }
        }
        final List<String> notes = new ArrayList<>();
        object.path("notes").forEach(note -> notes.add(note.asText()));
        return new NativeResult(object.path("program").asText(), number(object, "clockNs"), rows, notes, null);
    }

    private static NativeRow row(final JsonNode row) {
        final String name = row.path("name").asText();
        if (row.hasNonNull("unavailable")) {
            return NativeRow.unavailable(name, row.path("unavailable").asText());
        }
        if (!"ns".equals(row.path("unit").asText())) {
            throw new IllegalArgumentException("a row's unit is not ns: " + row);
        }
        return new NativeRow(
                name,
                row.path("count").asLong(),
                number(row, "mean"),
                number(row, "median"),
                number(row, "p99"),
                number(row, "max"),
                null);
    }

    private static double number(final JsonNode object, final String field) {
        if (!object.path(field).isNumber()) {
            throw new IllegalArgumentException("no number '" + field + "' in " + object);
        }
        return object.path(field).asDouble();
    }
}
