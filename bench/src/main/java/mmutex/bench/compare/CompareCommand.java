package mmutex.bench.compare;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mmutex.cli.Bounds;
import mmutex.cli.ExitCode;
import mmutex.cli.UsageProblem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code mmutex compare}: what became faster or slower between two files of results, and how sure that is. */
@Command(
        name = "compare",
        description = "Say what became faster or slower between two files of results.",
        sortOptions = false,
        footer = {
            "",
            "Files are those of bench --save, of JMH's -rf json, and the output of run --json (one or several",
            "objects in a file). The verdict is 'slower' or 'faster' if the whole interval is beyond the",
            "threshold, 'same' if the whole interval is within it, and 'too noisy' if it can't be decided.",
            "",
            "Exit code: 0, 4 if something became slower, 2 for wrong usage or files that can't be compared."
        })
public final class CompareCommand implements Callable<Integer> {
    private static final Pattern PERCENTAGE = Pattern.compile("(\\d+(?:\\.\\d+)?) ?%?");
    private static final double HUNDRED = 100;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "A", description = "Results before.")
    private Path a;

    @Parameters(index = "1", paramLabel = "B", description = "Results after.")
    private Path b;

    @Option(
            names = "--threshold",
            paramLabel = "PERCENT",
            defaultValue = "5%",
            description = "Changes up to so many percent don't matter (5%%).")
    private String threshold;

    @Option(
            names = "--confidence",
            paramLabel = "PERCENT",
            defaultValue = "95%",
            description = "Of the intervals (95%%).")
    private String confidence;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of the resampling (${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--allow-different", description = "Compare even if machine or JDK differ, or are not recorded.")
    private boolean allowDifferent;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    @Override
    public Integer call() {
        final double fraction = percentage("--threshold", threshold, 0.01, 1000);
        final double confident = percentage("--confidence", confidence, 50, 99.9);
        final ResultFile before = ResultFileReader.read(a);
        final ResultFile after = ResultFileReader.read(b);
        final List<String> obstacles = Conditions.obstacles(before, after);
        if (!obstacles.isEmpty() && !allowDifferent) {
            throw new UsageProblem(a + " and " + b + " were measured in different or unknown conditions: "
                    + String.join(", ", obstacles) + "; --allow-different compares them all the same");
        }
        final Comparison comparison = Comparison.of(before, after, new Bootstrap(confident, seed), fraction);
        final Settings settings = new Settings(fraction, confident, seed, obstacles);
        final PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(CompareJson.of(before, after, comparison, settings));
        } else {
            new CompareText(out).print(before, after, comparison, settings);
        }
        out.flush();
        return comparison.regressions() == 0 ? ExitCode.OK : ExitCode.REGRESSION;
    }

    private static double percentage(final String option, final String given, final double min, final double max) {
        final Matcher matcher = PERCENTAGE.matcher(given.strip());
        if (!matcher.matches()) {
            throw new UsageProblem(option + " must be a percentage such as 5%, was '" + given + "'");
        }
        return Bounds.check(option, Double.parseDouble(matcher.group(1)), min, max) / HUNDRED;
    }

    /** How it was compared; fractions, not percentages. */
    record Settings(double threshold, double confidence, long seed, List<String> obstacles) {}
}
