package mmutex.stress.conform;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import mmutex.cli.Environment;
import mmutex.cli.ExitCode;
import mmutex.cli.ProgressBar;
import mmutex.cli.UsageProblem;
import mmutex.stress.conform.Verdict.Status;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Replays recordings of a real kernel and reports whether the emulator agrees with it. All files are read and checked
 * before the first scenario is replayed.
 */
@Command(
        name = "conform",
        description = "Replay scenarios recorded on a real kernel and compare every step.",
        footer = {
            "",
            "A scenario passes, fails at its first difference, or is unsupported: it reaches an operation",
            "that is not emulated, and nothing differed before. Exit 0 without failures, 1 with",
            "some, 2 if a file is wrong (then nothing is replayed)."
        })
public final class ConformCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "FILE",
            description = "Recordings, JSON Lines, plain or gzip-compressed. Without any: those in the jar.")
    private List<String> files = new ArrayList<>();

    @Option(names = "--only", paramLabel = "NAME", description = "Only the scenario of that name. May be repeated.")
    private List<String> only = new ArrayList<>();

    @Option(names = "--trace", description = "Show the steps around each difference.")
    private boolean trace;

    @Option(names = "--json", description = "One JSON object per scenario, and a summary last.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        final List<Scenario> scenarios = selected(read());
        if (!json) {
            System.out.printf(
                    "mmutex %s · conform · %s · %d %s · JDK %s%n",
                    Environment.current().release(),
                    files.isEmpty() ? "shipped recordings" : String.join(" ", files),
                    scenarios.size(),
                    scenarios.size() == 1 ? "scenario" : "scenarios",
                    System.getProperty("java.version"));
        }
        final List<Verdict> verdicts = replay(scenarios);
        if (json) {
            JsonReport.print(System.out, verdicts);
        } else {
            TextReport.print(System.out, verdicts);
        }
        final boolean failed = verdicts.stream().anyMatch(verdict -> verdict.status() == Status.FAIL);
        return failed ? ExitCode.FINDING : ExitCode.OK;
    }

    private List<Scenario> read() throws IOException {
        if (files.isEmpty()) {
            return Recordings.readAll();
        }
        final List<Scenario> scenarios = new ArrayList<>();
        for (final String file : files) {
            scenarios.addAll(RecordingReader.read(file));
        }
        return scenarios;
    }

    private List<Scenario> selected(final List<Scenario> scenarios) {
        if (only.isEmpty()) {
            return scenarios;
        }
        final Set<String> missing = new LinkedHashSet<>(only);
        scenarios.forEach(scenario -> missing.remove(scenario.name()));
        if (!missing.isEmpty()) {
            throw new UsageProblem("--only " + missing.iterator().next() + ": no scenario of that name");
        }
        return scenarios.stream()
                .filter(scenario -> only.contains(scenario.name()))
                .toList();
    }

    private List<Verdict> replay(final List<Scenario> scenarios) {
        final Replayer replayer = new Replayer(trace);
        final List<Verdict> verdicts = new ArrayList<>(scenarios.size());
        try (ProgressBar bar = ProgressBar.onStandardError()) {
            for (final Scenario scenario : scenarios) {
                verdicts.add(replayer.replay(scenario));
                bar.update(
                        (double) verdicts.size() / scenarios.size(),
                        verdicts.size() + " of " + scenarios.size() + " scenarios");
            }
        }
        return verdicts;
    }
}
