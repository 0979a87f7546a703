package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import mmutex.bench.run.workload.Workload;
import mmutex.bench.run.workload.Workloads;
import mmutex.cli.CommandRunner;
import mmutex.cli.ExitCode;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunCommandTest {
    private static final long OPERATIONS = 2000;
    private static final int WIDTH = 100;

    private String out;
    private String err;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--cpus 0 | --cpus must be 1 to 64, was 0",
                "--cpus 65 | --cpus must be 1 to 64, was 65",
                "--devices 9 | --devices must be 0 to 8, was 9",
                "--devices -1 | --devices must be 0 to 8, was -1",
                "svm-plain --devices 0 | --devices must be 1 to 8, was 0",
                "--lanes 0 | --lanes must be 1 to 1024, was 0",
                "--pages 0 | --pages must be 1 to 65536, was 0",
                "--seconds 0 | --seconds must be 0.1 to 86400, was 0",
                "--seconds NaN | --seconds must be 0.1 to 86400, was NaN",
                "--seconds soon | invalid value for option '--seconds': 'soon' is not a double",
                "--seed x | invalid value for option '--seed': 'x' is not a long",
                "svm | unknown workload 'svm', expected one of"
                        + " svm-counters, svm-neighbours, svm-plain, svm-ops, svm-storm, duel",
                "duel --devices 1 | --devices must be 2 to 8, was 1",
                "duel --cpus -1 | --cpus must be 0 to 64, was -1",
                "--protocol fax | unknown protocol 'fax', expected one of interval, range-notifier, hmm-mirror",
                "--profile K6 | unknown profile 'K6', expected one of V3, V9, K514, K612, K615",
                "--delivery mail | unknown delivery 'mail', expected one of ring, inline",
                "--gpus 1 | unknown option: '--gpus'"
            })
    void shouldRefuseBadOptionsInOneLine(final String arguments, final String message) {
        assertThat(run(arguments)).isEqualTo(ExitCode.USAGE);
        assertThat(err).startsWith("mmutex run: " + message).hasLineCount(1);
        assertThat(out).isEmpty();
    }

    @Test
    void shouldRefuseALogThatCannotBeWrittenBeforeItRuns() {
        final Path file = folder.resolve("none").resolve("run.hlog");

        assertThat(run("--hlog " + file)).isEqualTo(ExitCode.USAGE);
        assertThat(err).isEqualTo("mmutex run: --hlog " + file + ": cannot be written (no such directory)\n");
        assertThat(run("--hlog " + folder)).isEqualTo(ExitCode.USAGE);
        assertThat(out).isEmpty();
    }

    @Test
    void shouldPrintOneJsonObjectWithExactlyTheseKeys() throws IOException {
        assertThat(run("--json --seconds 600 --seed 7 --lanes 3 --delivery INLINE"))
                .isEqualTo(ExitCode.OK);

        assertThat(out).hasLineCount(1);
        final JsonNode json = new ObjectMapper().readTree(out);
        assertThat(keys(json))
                .containsExactly(
                        "workload",
                        "profile",
                        "encoding",
                        "delivery",
                        "cpus",
                        "devices",
                        "lanes",
                        "pages",
                        "seconds",
                        "seed",
                        "expected",
                        "found",
                        "lostUpdates",
                        "invariantsChecked",
                        "invariantsViolated",
                        "paths",
                        "intervals",
                        "environment");
        assertThat(keys(json.at("/intervals/0"))).containsExactly("seconds", "operations", "restore", "make");
        assertThat(keys(json.at("/intervals/0/make"))).containsExactly("count", "mean", "p50", "p99");
        assertThat(json.at("/intervals/0/operations").asLong()).isEqualTo((2 + 3) * OPERATIONS);
        assertThat(keys(json.get("paths"))).containsExactly("restore", "make");
        assertThat(keys(json.at("/paths/restore")))
                .containsExactly("count", "p50", "p90", "p99", "p999", "max", "phases");
        assertThat(keys(json.at("/paths/restore/phases")))
                .containsExactly("faultEntry", "pageLock", "notify", "pteRestore", "notifyEnd");
        assertThat(keys(json.at("/paths/make/phases")))
                .containsExactly("begin", "getPage", "convert", "flush", "program");
        assertThat(keys(json.at("/paths/make/phases/flush")))
                .containsExactly("count", "p50", "p90", "p99", "p999", "max");
        assertThat(keys(json.get("environment")))
                .containsExactly(
                        "machine", "cores", "memoryMiB", "os", "jdk", "jvmFlags", "commit", "version", "quantumNs");
    }

    @Test
    void shouldPrintValuesThatDescribeTheRun() throws IOException {
        run("--json --seconds 600 --seed 7 --lanes 3 --delivery INLINE --profile k615");

        final JsonNode json = new ObjectMapper().readTree(out);
        assertThat(json.get("workload").asText()).isEqualTo("svm-counters");
        assertThat(json.get("profile").asText()).isEqualTo("K615");
        assertThat(json.get("encoding").asText()).isEqualTo("x86-64-7.3");
        assertThat(json.get("delivery").asText()).isEqualTo("inline");
        assertThat(json.get("seed").asLong()).isEqualTo(7);
        assertThat(json.get("seconds").toString()).isEqualTo("600");
        assertThat(json.get("expected").asLong()).isEqualTo((2 + 3) * OPERATIONS);
        assertThat(json.get("found").asLong()).isEqualTo((2 + 3) * OPERATIONS);
        assertThat(json.get("lostUpdates").asLong()).isZero();
        assertThat(json.at("/paths/make/p50").isIntegralNumber()).isTrue();
    }

    @Test
    void shouldSayInTheFirstLineWhatWasRun() {
        assertThat(run("svm-storm --cpus 3 --devices 2 --lanes 1 --pages 2 --seconds 600.5 --seed -5"))
                .isEqualTo(ExitCode.OK);

        assertThat(out.lines().findFirst().orElseThrow())
                .startsWith("mmutex ")
                .endsWith(" · svm-storm · 3 cpus, 2 devices (1 lane), 2 pages, 600.5 s · K612 · ring · seed -5");
        assertThat(out).contains("CPU fault -> restored", "device make exclusive", "fork and exit", " oracle ");
        assertThat(out.lines()).allMatch(line -> line.length() <= WIDTH);
        assertThat(err).isEmpty();
    }

    @Test
    void shouldSayHowEvenlyDevicesWereServed() throws IOException {
        assertThat(run("duel --lanes 2 --seconds 600 --seed 3")).isEqualTo(ExitCode.OK);
        assertThat(out.lines().findFirst().orElseThrow())
                .contains(" · duel · 0 cpus, 2 devices (2 lanes), 1 page, ")
                .doesNotContain("interval");
        assertThat(out).contains(" per device ", " fairness    Jain's index 1.000 by operations, ");
        assertThat(out.lines()).allMatch(line -> line.length() <= WIDTH);

        assertThat(run("duel --devices 3 --lanes 1 --seconds 600 --protocol hmm-mirror --json"))
                .isEqualTo(ExitCode.OK);
        final JsonNode json = new ObjectMapper().readTree(out);
        assertThat(json.get("protocol").asText()).isEqualTo("hmm-mirror");
        assertThat(json.get("cpus").asInt()).isZero();
        assertThat(json.at("/fairness/jainOperations").asDouble()).isEqualTo(1);
        assertThat(json.at("/fairness/jainMakes").asDouble()).isBetween(1.0 / 3, 1.0);
        assertThat(json.at("/fairness/devices")).hasSize(3);
        assertThat(keys(json.at("/fairness/devices/0")))
                .containsExactly("name", "operations", "makes", "retries", "waited", "longestWait");
    }

    @Test
    void shouldTakePathsApart() throws IOException {
        assertThat(run("--phases --json --seconds 600 --seed 7 --pages 4 --delivery inline"))
                .isEqualTo(ExitCode.OK);

        final JsonNode json = new ObjectMapper().readTree(out);
        assertThat(json.get("phasesTimed").asBoolean()).isTrue();
        final JsonNode anatomy = json.at("/paths/restore/anatomy");
        assertThat(keys(anatomy))
                .containsExactly("timestampNs", "wholeTimestampNs", "oneIn", "wholes", "dissected", "bands", "most");
        assertThat(anatomy.get("timestampNs").asDouble()).isPositive();
        // Every restore is counted, however it was timed.
        assertThat(anatomy.get("wholes").asLong() + anatomy.get("dissected").asLong())
                .isEqualTo(json.at("/paths/restore/count").asLong())
                .isPositive();
        assertThat(json.at("/paths/restore/phases/notify/count").asLong())
                .isEqualTo(anatomy.get("dissected").asLong());
        assertThat(anatomy.get("bands")).hasSize(4);
        assertThat(keys(anatomy.at("/most/phasesNs")))
                .containsExactly("faultEntry", "pageLock", "notify", "pteRestore", "notifyEnd", "exit");
        assertThat(keys(json.at("/paths/make/anatomy/most/phasesNs")))
                .containsExactly("begin", "getPage", "convert", "flush", "program", "exit");

        assertThat(run("--phases --seconds 600 --seed 7 --pages 4 --delivery inline"))
                .isEqualTo(ExitCode.OK);
        // So short a run may have none of a path.
        assertThat(out).containsPattern(" phases, mean ns |too few runs to take apart");
        assertThat(out.lines()).allMatch(line -> line.length() <= WIDTH);
    }

    @Test
    void shouldPrintTheSeedWhenAnActorFails() {
        final int code = run(List.of(new ExperimentTest.Failing()), "failing --seed 77");

        assertThat(code).isEqualTo(ExitCode.FINDING);
        assertThat(err)
                .startsWith("mmutex run: seed 77: cpu1: java.lang.IllegalStateException: step=10\n")
                .contains("\tat " + ExperimentTest.class.getName());
    }

    @Test
    void shouldWriteALogOfBothPaths() throws IOException {
        final Path file = folder.resolve("run.hlog");

        assertThat(run("--seconds 600 --hlog " + file)).isEqualTo(ExitCode.OK);

        assertThat(Files.readString(file))
                .startsWith("#[mmutex ")
                .contains("svm-counters", "seed ", "[environment {machine=", "jdk=", "commit=");
        final Set<String> tags = new TreeSet<>();
        try (HistogramLogReader reader = new HistogramLogReader(file.toFile())) {
            while (reader.hasNext()) {
                final EncodableHistogram histogram = reader.nextIntervalHistogram();
                tags.add(histogram.getTag());
            }
        }
        assertThat(tags)
                .contains("restore", "make", "restore-total", "make-total", "restore-notify", "make-flush")
                .hasSize(2 * (2 + 5));
    }

    @Test
    void shouldListEveryWorkloadInTheHelp() {
        assertThat(run("--help")).isEqualTo(ExitCode.OK);

        assertThat(Workloads.all())
                .allMatch(workload -> out.contains("  " + workload.name() + " ") && out.contains(workload.summary()));
    }

    private static List<String> keys(final JsonNode object) {
        final List<String> keys = new ArrayList<>();
        object.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    private int run(final String arguments) {
        return run(Workloads.all(), arguments);
    }

    private int run(final List<Workload> workloads, final String arguments) {
        final PrintStream oldOut = System.out;
        final PrintStream oldErr = System.err;
        final ByteArrayOutputStream newOut = new ByteArrayOutputStream();
        final ByteArrayOutputStream newErr = new ByteArrayOutputStream();
        System.setOut(new PrintStream(newOut, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(newErr, true, StandardCharsets.UTF_8));
        try {
            return CommandRunner.run(
                    List.of(new RunCommand(workloads, OPERATIONS)), ("run " + arguments.strip()).split(" +"));
        } finally {
            System.setOut(oldOut);
            System.setErr(oldErr);
            out = newOut.toString(StandardCharsets.UTF_8);
            err = newErr.toString(StandardCharsets.UTF_8);
        }
    }
}
