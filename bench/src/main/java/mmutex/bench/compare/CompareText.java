package mmutex.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import mmutex.bench.run.Figures;
import mmutex.cli.Environment;

/** A comparison for people, in lines of 100 columns. */
final class CompareText {
    private static final int WIDTH = 100;
    private static final int NAME = 32;
    private static final String LINE = " %-" + NAME + "s %-7s%-6s%10s%10s%7s%15s  %s";
    private static final double HUNDRED = 100;

    private final PrintWriter out;

    CompareText(final PrintWriter out) {
        this.out = out;
    }

    void print(
            final ResultFile a,
            final ResultFile b,
            final Comparison comparison,
            final CompareCommand.Settings settings) {
        out.println("mmutex " + Environment.current().release() + " · compare · threshold "
                + percent(settings.threshold()) + " · intervals of " + percent(settings.confidence()) + " from "
                + Figures.grouped(Bootstrap.RESAMPLES) + " resamples · seed " + settings.seed());
        file("A", a);
        file("B", b);
        settings.obstacles().forEach(obstacle -> paragraph("DIFFERENT  " + obstacle, "            "));
        if (!a.jvmArguments().equals(b.jvmArguments())) {
            paragraph("JVM arguments differ: " + onlyIn(a, b) + " / " + onlyIn(b, a), "   ");
        }
        out.println();
        out.println(line("benchmark", "mode", "unit", "A", "B", "B/A", "interval", "verdict"));
        comparison.rows().forEach(this::row);
        out.println();
        only("A", comparison.onlyA());
        only("B", comparison.onlyB());
        summary(comparison);
    }

    private void file(final String letter, final ResultFile file) {
        final JsonNode environment = file.environment();
        out.println(" " + letter + "  " + file.path());
        paragraph(
                environment == null
                        ? "   nothing recorded about machine, JDK and commit"
                        : "   " + file.environmentField("machine") + " · "
                                + Figures.count(environment.path("cores").asLong(), "core") + " · "
                                + file.environmentField("os") + " · JDK "
                                + file.environmentField("jdk").replaceAll(" .*", "") + " · commit "
                                + file.environmentField("commit"),
                "    ");
    }

    private static Set<String> onlyIn(final ResultFile file, final ResultFile other) {
        final Set<String> arguments = new TreeSet<>(file.jvmArguments());
        arguments.removeAll(other.jvmArguments());
        return arguments;
    }

    private void row(final Comparison.Row row) {
        final String name = row.key().shortName();
        if (name.length() > NAME) {
            paragraph(name, "   ");
        }
        final Interval interval = row.interval();
        out.println(line(
                name.length() > NAME ? "" : name,
                row.key().mode(),
                row.a().unit(),
                figure(row.a().score()),
                figure(row.b().score()),
                String.format(Locale.ROOT, "%.3f", row.ratio()),
                interval.isKnown() ? String.format(Locale.ROOT, "%.3f-%.3f", interval.low(), interval.high()) : "-",
                row.verdict() == Verdict.SLOWER ? "SLOWER" : row.verdict().word()));
    }

    private void only(final String letter, final List<BenchmarkKey> keys) {
        keys.forEach(
                key -> paragraph("only in " + letter + "  " + key.shortName() + ", " + key.mode(), "            "));
    }

    private void summary(final Comparison comparison) {
        final List<String> counts = new ArrayList<>();
        for (final Verdict verdict : Verdict.values()) {
            counts.add(comparison.count(verdict) + " " + verdict.word());
        }
        out.println(" " + comparison.rows().size() + " compared: " + String.join(", ", counts));
        if (comparison.hasSingleForks()) {
            paragraph(
                    "Some have one fork only: their intervals come from its iterations and leave out how VMs differ.",
                    "   ");
        }
    }

    /** Folds between words. */
    private void paragraph(final String text, final String indent) {
        final StringBuilder line = new StringBuilder(" ");
        for (final String word : text.split(" (?=\\S)")) {
            if (line.length() + word.length() > WIDTH - 1 && !line.toString().isBlank()) {
                out.println(line.toString().stripTrailing());
                line.setLength(0);
                line.append(indent);
            }
            line.append(word).append(' ');
        }
        out.println(line.toString().stripTrailing());
    }

    private static String line(final Object... cells) {
        return String.format(Locale.ROOT, LINE, cells).stripTrailing();
    }

    /** Four digits or so. */
    private static String figure(final double value) {
        if (value >= 1e6) {
            return String.format(Locale.ROOT, "%.3e", value);
        }
        return String.format(Locale.ROOT, value >= 1000 ? "%.0f" : value >= 10 ? "%.1f" : "%.3f", value);
    }

    private static String percent(final double fraction) {
        final double percent = Math.round(fraction * HUNDRED * 1000) / 1000.0;
        return (percent == Math.rint(percent) ? Long.toString((long) percent) : Double.toString(percent)) + " %";
    }
}
