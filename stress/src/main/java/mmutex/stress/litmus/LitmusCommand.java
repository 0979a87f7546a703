package mmutex.stress.litmus;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.concurrent.Callable;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.ProgressBar;
import mmutex.cli.UsageProblem;
import org.openjdk.jcstress.JCStress;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/**
 * Runs the litmus tests: jcstress' own command line, a short summary instead of its console output (which is kept
 * beside its reports), and an exit code that tells whether all passed.
 */
@Command(
        name = "litmus",
        description = "Run the memory-ordering litmus tests under jcstress.",
        customSynopsis = "mmutex litmus [--help] [--broken] [jcstress options]",
        footer = {
            "",
            "Everything else goes to jcstress: -l lists the tests, -t REGEXP selects some,",
            "-m sanity|quick|default|tough|stress sets how hard they are tried, -r DIR says where the",
            "reports go, -h shows all options. Here -m is quick unless given: some minutes, the least that",
            "says something. sanity takes about a minute and shows only that all of it works. Both are made",
            "shorter by -sc false (all actors compiled alike), quick by -iters 2, unless given."
        })
public final class LitmusCommand implements Callable<Integer> {
    /** Written by jcstress' annotation processor; jcstress fails without a word of sense where there is none. */
    private static final String TEST_LIST = "/META-INF/TestList";

    private static final Path TEMPORARY_FILES = Path.of(System.getProperty("java.io.tmpdir"));
    private static final String REPORTS = "mmutex-litmus-";

    @Option(names = "--help", usageHelp = true, description = "Show this help and exit.")
    private boolean help;

    @Option(names = "--broken", description = "Run the wrong copies of the protocols instead: all must be caught.")
    private boolean broken;

    @Unmatched
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        if (arguments.contains("-h")) {
            new Options(new String[] {"-h"}).parse();
            return ExitCode.OK;
        }
        if (LitmusCommand.class.getResource(TEST_LIST) == null) {
            throw new UsageProblem("this build contains no litmus tests");
        }
        addUnlessGiven("-m", "quick");
        if (arguments.contains("quick")) {
            addUnlessGiven("-iters", "2");
        }
        if (arguments.contains("quick") || arguments.contains("sanity")) {
            addUnlessGiven("-sc", "false");
        }
        addUnlessGiven(
                "-r",
                TEMPORARY_FILES.resolve(REPORTS + ProcessHandle.current().pid()).toString());
        final LitmusOptions options = LitmusOptions.parse(arguments, broken);
        final SortedSet<String> tests = new JCStress(options).getTests();
        if (options.shouldList()) {
            tests.forEach(System.out::println);
            return ExitCode.OK;
        }
        if (tests.isEmpty()) {
            throw new UsageProblem("no test matches " + options.givenFilter());
        }
        System.out.printf(
                "mmutex %s · litmus %s%s · %d %s · JDK %s%n",
                Environment.current().release(),
                broken ? "--broken " : "",
                String.join(" ", arguments),
                tests.size(),
                broken ? "wrong copies" : "tests",
                System.getProperty("java.version"));
        return run(options);
    }

    private void addUnlessGiven(final String option, final String value) {
        if (arguments.stream().noneMatch(argument -> argument.equals(option) || argument.startsWith(option + "="))) {
            arguments.add(option);
            arguments.add(value);
        }
    }

    private int run(final LitmusOptions options) throws Exception {
        final Path reports = Files.createDirectories(Path.of(options.getResultDest()));
        runQuietly(options, reports.resolve("console.log"));
        final Collection<TestResult> results = read(options);
        if (results.isEmpty()) {
            throw new IllegalStateException("jcstress ran nothing, see " + reports.resolve("console.log"));
        }
        final boolean passed = broken ? summarizeTwins(results) : summarize(results);
        System.out.println(" reports " + reports.resolve("index.html"));
        return passed ? ExitCode.OK : ExitCode.FINDING;
    }

    private static boolean summarize(final Collection<TestResult> results) {
        final LitmusSummary summary = new LitmusSummary(results);
        summary.print(System.out);
        return summary.passed();
    }

    private static boolean summarizeTwins(final Collection<TestResult> results) throws ClassNotFoundException {
        final TwinSummary summary = new TwinSummary(results);
        summary.print(System.out);
        return summary.passed();
    }

    private static void runQuietly(final LitmusOptions options, final Path log) throws Exception {
        final PrintStream stdout = System.out;
        try (ProgressBar bar = ProgressBar.onStandardError();
                PrintStream console = ConsoleLog.open(log, bar)) {
            System.setOut(console);
            // jcstress takes stdout as it is at construction.
            final JCStress jcstress = new JCStress(options);
            if (options.shouldParse()) {
                jcstress.parseResults();
            } else {
                jcstress.run();
            }
        } catch (final AssertionError failedTests) {
            // This is how jcstress reports them, in one unreadable line; the summary tells it from the results.
        } finally {
            System.setOut(stdout);
        }
    }

    private static Collection<TestResult> read(final LitmusOptions options) throws IOException, ClassNotFoundException {
        final InProcessCollector results = new InProcessCollector();
        final DiskReadCollector reader = new DiskReadCollector(options.getResultFile(), results);
        try {
            reader.dump();
        } finally {
            reader.close();
        }
        return results.getTestResults();
    }
}
