package mmutex.stress.conform;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import mmutex.stress.conform.Step.WatchedPage;

/** The steps around a difference as lines of text: what was recorded, and for the step itself what the emulator did. */
final class Trace {
    private static final int STEPS_BEFORE = 4;
    private static final int STEPS_BEHIND = 2;

    private Trace() {}

    static List<String> around(
            final Scenario scenario,
            final Step failed,
            final Difference difference,
            final Observation observed,
            final StepComparator comparator) {
        final int at = scenario.steps().indexOf(failed);
        final int first = Math.max(0, at - STEPS_BEFORE);
        final int end = Math.min(scenario.steps().size(), at + STEPS_BEHIND + 1);
        final List<String> lines = new ArrayList<>();
        for (int i = first; i < end; i++) {
            final Step step = scenario.steps().get(i);
            lines.add((i == at ? "> " : "  ") + title(step));
            if (i == at) {
                lines.add("       recorded " + recorded(step));
                lines.add("       emulated " + emulated(step, observed, comparator));
                lines.add("       differs  " + difference.field());
            } else if (!step.setup()) {
                lines.add("                " + recorded(step));
            }
        }
        return lines;
    }

    private static String title(final Step step) {
        final StringJoiner text = new StringJoiner(" ");
        text.add(step.setup() ? "   -" : String.format("%4d", step.number()));
        text.add(step.who()).add(step.operation().toString());
        new TreeMap<>(step.arguments()).forEach((name, value) -> text.add(name + "=" + value));
        return text.toString();
    }

    private static String recorded(final Step step) {
        final StringJoiner text = new StringJoiner(" ");
        step.results().forEach((name, value) -> text.add(name + "=" + value));
        for (final WatchedPage page : step.pages()) {
            text.add(page.region() + "." + page.index() + "=" + page.state());
        }
        return text.toString();
    }

    /** The recorded fields, and those results that only the emulator has. */
    private static String emulated(final Step step, final Observation observed, final StepComparator comparator) {
        final StringJoiner text = new StringJoiner(" ");
        for (final String name : step.results().keySet()) {
            text.add(name + "=" + observed.fields().get(name));
        }
        for (final Map.Entry<String, Object> field : new TreeMap<>(observed.fields()).entrySet()) {
            final boolean counted =
                    field.getKey().endsWith("flt") || field.getKey().startsWith("rss");
            if (!counted && !step.results().containsKey(field.getKey())) {
                text.add(field.getKey() + "=" + field.getValue());
            }
        }
        for (int i = 0; i < step.pages().size(); i++) {
            final WatchedPage page = step.pages().get(i);
            text.add(page.region() + "." + page.index() + "="
                    + comparator.text(observed.pages().get(i)));
        }
        return text.toString();
    }
}
