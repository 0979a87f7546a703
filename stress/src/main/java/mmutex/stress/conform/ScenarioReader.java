package mmutex.stress.conform;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mmutex.mm.SemanticProfile;

/** Turns one line's JSON into a {@link Scenario}: every field is known, typed and in range, every process exists. */
final class ScenarioReader {
    private static final String PARENT = "p";
    private static final Set<String> PROCESSES = Set.of(PARENT, "c", "g");

    private final Set<String> alive = new HashSet<>(Set.of(PARENT));
    private long recordedSteps;

    private ScenarioReader() {}

    static Scenario read(final String file, final long line, final JsonNode json) throws BadRecording {
        return new ScenarioReader().scenario(file, line, json);
    }

    private Scenario scenario(final String file, final long line, final JsonNode json) throws BadRecording {
        final Fields fields = new Fields(json, "a scenario");
        final String name = fields.text("name");
        final SemanticProfile profile = profile(fields.text("profile"));
        final List<String> tags = new ArrayList<>();
        if (fields.has("tags")) {
            for (final JsonNode tag : Fields.array("tags", fields.required("tags"))) {
                tags.add(Fields.text("tags." + tags.size(), tag));
            }
        }
        if (fields.has("description")) {
            fields.text("description");
        }
        if (fields.has("seed")) {
            Fields.integer("seed", fields.required("seed"), Long.MIN_VALUE, Long.MAX_VALUE);
        }
        final List<JsonNode> elements = Fields.array("steps", fields.required("steps"));
        fields.finish();
        final List<Step> steps = new ArrayList<>(elements.size());
        for (final JsonNode element : elements) {
            steps.add(stepOrWhereItIs(element));
        }
        return new Scenario(file, line, name, profile, List.copyOf(tags), List.copyOf(steps));
    }

    private static SemanticProfile profile(final String name) throws BadRecording {
        try {
            return SemanticProfile.byName(name);
        } catch (final IllegalArgumentException unknown) {
            throw new BadRecording(unknown.getMessage());
        }
    }

    private Step stepOrWhereItIs(final JsonNode json) throws BadRecording {
        final boolean setup = json.has("setup");
        try {
            return step(json);
        } catch (final BadRecording problem) {
            final String where = (setup ? "setup step before step " : "step ") + recordedSteps;
            throw new BadRecording(where + ": " + problem.getMessage());
        }
    }

    private Step step(final JsonNode json) throws BadRecording {
        final Fields fields = new Fields(json, "a step");
        final boolean setup = isSetup(fields);
        final String who = fields.text("who");
        final Operation operation = Operation.byName(fields.text("op"));
        final Map<String, Object> arguments = operation.arguments(new Fields(fields.required("args"), "'args'"));
        if (operation.isSetupOnly() && !setup) {
            throw new BadRecording(operation + " must be a setup step");
        }
        checkProcess(who);
        Map<String, Object> results = Map.of();
        List<Step.WatchedPage> pages = List.of();
        if (!setup) {
            fields.required("ret");
            final long number = Fields.integer("i", fields.required("i"), 0, Long.MAX_VALUE);
            if (number != recordedSteps) {
                throw new BadRecording("'i' must be " + recordedSteps + ", was " + number);
            }
            results = ResultReader.results(operation, fields);
            pages = ResultReader.pages(operation, fields);
        }
        fields.finish();
        followProcesses(who, operation, arguments);
        final Step step = new Step(recordedSteps, setup, who, operation, arguments, results, pages);
        recordedSteps += setup ? 0 : 1;
        return step;
    }

    private static boolean isSetup(final Fields fields) throws BadRecording {
        final JsonNode setup = fields.optional("setup");
        if (setup != null && !setup.equals(BooleanNode.TRUE)) {
            throw new BadRecording("'setup' must be true, was " + Fields.shown(setup));
        }
        return setup != null;
    }

    private void checkProcess(final String who) throws BadRecording {
        if (!PROCESSES.contains(who)) {
            throw new BadRecording("'who' must be one of p, c, g, was \"" + who + "\"");
        }
        if (!alive.contains(who)) {
            throw new BadRecording("process " + who + " does not exist");
        }
    }

    private void followProcesses(final String who, final Operation operation, final Map<String, Object> arguments)
            throws BadRecording {
        if (operation == Operation.FORK) {
            final String child = (String) arguments.get("child");
            if (!alive.add(child)) {
                throw new BadRecording("process " + child + " exists already");
            }
        } else if (operation == Operation.EXIT) {
            if (who.equals(PARENT)) {
                throw new BadRecording("process p can't exit");
            }
            alive.remove(who);
        }
    }
}
