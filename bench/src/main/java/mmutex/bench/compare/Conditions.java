package mmutex.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Whether two files' figures may be compared at all: those of different machines or JDKs say nothing about the code. */
final class Conditions {
    /** Without these nothing is known. */
    private static final List<String> NEEDED = List.of("machine", "jdk");

    /** Whatever changes figures but is not what is to be compared; the commit and the flags are. */
    private static final List<String> OTHERS = List.of("cores", "os", "quantumNs");

    private static final String MEMORY = "memoryMiB";

    /** The same machine may report a bit more or less after a restart. */
    private static final double MEMORY_TOLERANCE = 0.02;

    private Conditions() {}

    /** Fields that differ between two environments, each with both values. */
    static List<String> differences(final JsonNode a, final JsonNode b) {
        final List<String> fields = new ArrayList<>();
        for (final String field : NEEDED) {
            if (!a.hasNonNull(field) || !b.hasNonNull(field)) {
                fields.add(field + " (not recorded)");
            } else {
                compare(fields, field, a, b);
            }
        }
        OTHERS.forEach(field -> compare(fields, field, a, b));
        final double memoryOfA = a.path(MEMORY).asDouble();
        final double memoryOfB = b.path(MEMORY).asDouble();
        if (Math.abs(memoryOfA - memoryOfB) > MEMORY_TOLERANCE * Math.max(memoryOfA, memoryOfB)) {
            compare(fields, MEMORY, a, b);
        }
        return fields;
    }

    /** Why two files should not be compared; empty if they may. */
    static List<String> obstacles(final ResultFile a, final ResultFile b) {
        final List<String> obstacles = new ArrayList<>();
        for (final ResultFile file : List.of(a, b)) {
            if (file.environment() == null) {
                obstacles.add(file.path() + " records no environment, so nothing can be verified");
            }
        }
        if (obstacles.isEmpty()) {
            obstacles.addAll(differences(a.environment(), b.environment()));
        }
        // What the benchmarks themselves ran on: with JMH's -jvm another JDK than the one that wrote the file.
        final Set<String> ofA = a.forkVms();
        final Set<String> ofB = b.forkVms();
        if (!ofA.isEmpty() && !ofB.isEmpty() && !ofA.equals(ofB)) {
            obstacles.add("the forks' VM (" + String.join(", ", ofA) + " / " + String.join(", ", ofB) + ")");
        }
        return obstacles;
    }

    private static void compare(final List<String> fields, final String field, final JsonNode a, final JsonNode b) {
        final String ofA = a.path(field).asText();
        final String ofB = b.path(field).asText();
        if (!ofA.equals(ofB)) {
            fields.add(field + " (" + shown(ofA) + " / " + shown(ofB) + ")");
        }
    }

    private static String shown(final String value) {
        return value.isEmpty() ? "not recorded" : value;
    }
}
