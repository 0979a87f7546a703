package mmutex.stress.conform;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import mmutex.stress.conform.Verdict.Status;

/** Verdicts for people: a line per scenario, the counts, and what is known of each failure. */
final class TextReport {
    private final List<Verdict> verdicts;
    private final int nameWidth;
    private final StringBuilder text = new StringBuilder();

    private TextReport(final List<Verdict> verdicts) {
        this.verdicts = verdicts;
        this.nameWidth = verdicts.stream()
                .mapToInt(verdict -> verdict.scenario().name().length())
                .max()
                .orElse(1);
    }

    static void print(final PrintStream out, final List<Verdict> verdicts) {
        final TextReport report = new TextReport(verdicts);
        report.scenarios();
        report.summary();
        out.print(report.text);
        out.flush();
    }

    private void scenarios() {
        String file = null;
        for (final Verdict verdict : verdicts) {
            if (!verdict.scenario().file().equals(file)) {
                file = verdict.scenario().file();
                text.append(file).append('\n');
            }
            line(verdict);
        }
    }

    private void line(final Verdict verdict) {
        final String name = verdict.scenario().name();
        if (verdict.status() == Status.PASS) {
            text.append(String.format(" pass         %s%n", name));
        } else {
            final String label =
                    verdict.status() == Status.FAIL ? "FAIL" : verdict.status().toString();
            text.append(String.format(" %-11s  %-" + nameWidth + "s  %s%n", label, name, what(verdict)));
        }
    }

    private static String what(final Verdict verdict) {
        final Step step = verdict.step();
        final String where = (step.setup() ? "setup before step " : "step ") + step.number() + " " + step.title();
        if (verdict.status() == Status.UNSUPPORTED) {
            return where + "   not emulated: " + verdict.reason();
        }
        final Difference difference = verdict.difference();
        return where + "   " + difference.field() + "   expected " + shown(difference.expected()) + "   got "
                + shown(difference.actual());
    }

    private static String shown(final Object value) {
        if (value == null) {
            return "nothing";
        }
        return value.equals("") ? "\"\"" : value.toString();
    }

    private void summary() {
        text.append('\n');
        text.append(String.format(" pass         %6d%n", count(Status.PASS)));
        final Map<String, Long> reasons = verdicts.stream()
                .filter(verdict -> verdict.status() == Status.UNSUPPORTED)
                .collect(Collectors.groupingBy(Verdict::reason, TreeMap::new, Collectors.counting()));
        final String list = reasons.entrySet().stream()
                .map(reason -> reason.getKey() + " (" + reason.getValue() + ")")
                .collect(Collectors.joining(", "));
        text.append(String.format(" unsupported  %6d   %s", count(Status.UNSUPPORTED), list)
                .stripTrailing());
        text.append(String.format("%n FAIL         %6d%n", count(Status.FAIL)));
        verdicts.stream().filter(verdict -> verdict.status() == Status.FAIL).forEach(this::failure);
    }

    private void failure(final Verdict verdict) {
        final Scenario scenario = verdict.scenario();
        text.append(String.format("   %-" + nameWidth + "s  %s%n", scenario.name(), what(verdict)));
        if (verdict.trace().isEmpty()) {
            final String again = "./mmutex conform --only " + scenario.name() + " --trace";
            final String file = scenario.file().startsWith(Recordings.SHIPPED) ? "" : " " + scenario.file();
            text.append(String.format("   %-" + nameWidth + "s  %s%s   shows the steps around it%n", "", again, file));
        }
        verdict.trace().forEach(line -> text.append("     ").append(line).append('\n'));
    }

    private long count(final Status status) {
        return verdicts.stream().filter(verdict -> verdict.status() == status).count();
    }
}
