package mmutex.bench.compare;

import static mmutex.bench.compare.ResultFiles.HERE;
import static mmutex.bench.compare.ResultFiles.array;
import static mmutex.bench.compare.ResultFiles.environment;
import static mmutex.bench.compare.ResultFiles.quiet;
import static mmutex.bench.compare.ResultFiles.rate;
import static mmutex.bench.compare.ResultFiles.run;
import static mmutex.bench.compare.ResultFiles.saved;
import static mmutex.bench.compare.ResultFiles.time;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import mmutex.cli.CommandRunner;
import mmutex.cli.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareCommandTest {
    private static final int WIDTH = 100;
    private static final double[][] NOISY = {{60, 70}, {100, 110}, {150, 140}};

    @TempDir
    private Path folder;

    private String out;
    private String err;

    @Test
    void shouldCallWhatBecameSlowerARegression() throws JsonProcessingException {
        final int code = compare(
                saved(HERE, time("Restore.restore", quiet(100)), rate("Access.load", quiet(1000))),
                saved(HERE, time("Restore.restore", quiet(120)), rate("Access.load", quiet(800))),
                "--json");

        assertThat(code).isEqualTo(ExitCode.REGRESSION);
        assertThat(json().get("regressions").asInt()).isEqualTo(2);
        assertThat(json().at("/rows/0/verdict").asText()).isEqualTo("slower");
        assertThat(json().at("/rows/0/better").asText()).isEqualTo("higher");
        assertThat(json().at("/rows/0/ratio").asDouble()).isBetween(0.79, 0.81);
        assertThat(json().at("/rows/1/verdict").asText()).isEqualTo("slower");
        assertThat(json().at("/rows/1/better").asText()).isEqualTo("lower");
        assertThat(json().at("/rows/1/low").asDouble()).isBetween(1.18, 1.2);
        assertThat(json().at("/rows/1/high").asDouble()).isBetween(1.2, 1.22);
    }

    @Test
    void shouldBeContentWithWhatBecameFaster() throws JsonProcessingException {
        final int code = compare(
                saved(HERE, time("Restore.restore", quiet(100)), rate("Access.load", quiet(1000))),
                saved(HERE, time("Restore.restore", quiet(80)), rate("Access.load", quiet(1200))),
                "--json");

        assertThat(code).isEqualTo(ExitCode.OK);
        assertThat(verdicts()).containsExactly("faster", "faster");
    }

    @Test
    void shouldFindAFileTheSameAsItself() throws JsonProcessingException {
        final String file = saved(HERE, time("Restore.restore", quiet(100)), time("Make.make", NOISY));

        assertThat(compare(file, file, "--json")).isEqualTo(ExitCode.OK);
        // Of what varies by half not even that can be said.
        assertThat(verdicts()).containsExactly("too noisy", "same");
    }

    @Test
    void shouldNotCallNoiseARegression() throws JsonProcessingException {
        assertThat(compare(saved(HERE, time("Make.make", quiet(100))), saved(HERE, time("Make.make", NOISY)), "--json"))
                .isEqualTo(ExitCode.OK);
        assertThat(verdicts()).containsExactly("too noisy");

        // A single measurement: twice as slow, but who knows.
        assertThat(compare(
                        saved(HERE, time("Make.make", quiet(100))),
                        saved(HERE, time("Make.make", new double[] {200})),
                        "--json"))
                .isEqualTo(ExitCode.OK);
        assertThat(verdicts()).containsExactly("too noisy");
        assertThat(json().at("/rows/0/low").isNull()).isTrue();
        assertThat(json().at("/rows/0/ratio").asDouble()).isBetween(1.99, 2.01);
    }

    @Test
    void shouldTakeTheThresholdFromTheUser() throws JsonProcessingException {
        final String before = saved(HERE, time("Restore.restore", quiet(100)));
        final String after = saved(HERE, time("Restore.restore", quiet(103)));

        assertThat(compare(before, after, "--json")).isEqualTo(ExitCode.OK);
        assertThat(verdicts()).containsExactly("same");
        assertThat(compare(before, after, "--json --threshold 2%")).isEqualTo(ExitCode.REGRESSION);
        assertThat(json().get("threshold").asDouble()).isEqualTo(0.02);
    }

    @Test
    void shouldListWhatIsInOneFileAlone() throws JsonProcessingException {
        final String before = saved(HERE, time("Old.old", quiet(9)), time("Restore.restore", quiet(100)));
        final String after = saved(HERE, time("Restore.restore", quiet(100)), time("New.fresh", quiet(9)));

        assertThat(compare(before, after, "--json")).isEqualTo(ExitCode.OK);
        assertThat(json().at("/onlyA/0/benchmark").asText()).isEqualTo("mmutex.bench.jmh.Old.old");
        assertThat(json().at("/onlyB/0/benchmark").asText()).isEqualTo("mmutex.bench.jmh.New.fresh");
        assertThat(json().get("rows")).hasSize(1);

        compare(before, after, "");
        assertThat(out).contains("only in A  Old.old pages=1, avgt", "only in B  New.fresh pages=1, avgt");
    }

    @Test
    void shouldPrintATableThatFits() {
        compare(
                saved(
                        HERE,
                        time("Restore.restore", quiet(100)),
                        time("AVeryLongNameOfABenchmarkThatNeedsALineOfItsOwn.restoreOneOfManyPages", NOISY),
                        rate("Access.load", quiet(1e9))),
                saved(
                        HERE,
                        time("Restore.restore", quiet(120)),
                        time("AVeryLongNameOfABenchmarkThatNeedsALineOfItsOwn.restoreOneOfManyPages", NOISY),
                        rate("Access.load", quiet(1e9))),
                "--seed 77");

        assertThat(out.lines()).allMatch(line -> line.length() <= WIDTH);
        assertThat(out.lines().findFirst().orElseThrow())
                .startsWith("mmutex ")
                .endsWith(" · compare · threshold 5 % · intervals of 95 % from 10 000 resamples · seed 77");
        assertThat(out)
                .contains(" A  " + folder)
                .contains("    EPYC · 2 cores · Linux 6.12 amd64 · JDK 17.0.15 · commit 0123456789")
                .containsPattern(
                        " Restore.restore pages=1 +avgt +ns/op +100.0 +120.0 +1.200 +1.\\d{3}-1.\\d{3} +SLOWER\n")
                .containsPattern(" Access.load pages=1 +thrpt +ops/s +1.000e\\+09 +1.000e\\+09 +1.000 .* same\n")
                .contains(" 3 compared: 0 faster, 1 slower, 1 same, 1 too noisy\n")
                .doesNotContain("DIFFERENT", "JVM arguments differ", "one fork");
    }

    @Test
    void shouldRefuseToCompareOtherMachinesAndJdks() throws JsonProcessingException {
        final String before = saved(HERE, time("Restore.restore", quiet(100)));
        final String after = saved(environment("Xeon", "25.0.1 (Debian)", 7940), time("Restore.restore", quiet(100)));

        assertThat(compare(before, after, "")).isEqualTo(ExitCode.USAGE);
        assertThat(out).isEmpty();
        assertThat(err)
                .hasLineCount(1)
                .startsWith("mmutex compare: ")
                .contains("machine (EPYC / Xeon), jdk (17.0.15 (Debian) / 25.0.1 (Debian)); --allow-different")
                .doesNotContain("memoryMiB", "cores");

        assertThat(compare(before, after, "--allow-different --json")).isEqualTo(ExitCode.OK);
        assertThat(json().get("differences")).hasSize(2);
        assertThat(json().at("/b/machine").asText()).isEqualTo("Xeon");
        compare(before, after, "--allow-different");
        assertThat(out).contains(" DIFFERENT  machine (EPYC / Xeon)\n");
    }

    @Test
    void shouldRefuseForksOfAnotherVm() {
        final String before = saved(HERE, time("Restore.restore", quiet(100)));

        assertThat(compare(before, before.replace("17.0.15+6", "21.0.1+12"), ""))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("the forks' VM (17.0.15 HotSpot 17.0.15+6 / 17.0.15 HotSpot 21.0.1+12)");
    }

    @Test
    void shouldRefuseMuchLessMemoryAndWhatIsNotRecorded() {
        final String before = saved(HERE, time("Restore.restore", quiet(100)));

        assertThat(compare(before, before.replace("7950", "3900"), "")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("conditions: memoryMiB (7950 / 3900);");
        assertThat(compare(before, before.replace("\"jdk\"", "\"jvm\""), "")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("conditions: jdk (not recorded);");
    }

    @Test
    void shouldDemandTheOptionForBareFilesOfJmh() throws JsonProcessingException {
        final String bare = array(time("Restore.restore", quiet(100)));

        assertThat(compare(bare, saved(HERE, time("Restore.restore", quiet(120))), ""))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err)
                .contains("a.json records no environment, so nothing can be verified;")
                .hasLineCount(1);
        assertThat(compare(bare, saved(HERE, time("Restore.restore", quiet(120))), "--allow-different --json"))
                .isEqualTo(ExitCode.REGRESSION);
        assertThat(json().get("a").isNull()).isTrue();
        assertThat(json().at("/b/machine").asText()).isEqualTo("EPYC");
    }

    @Test
    void shouldSayThatFlagsDiffer() {
        final String before = saved(HERE, time("Restore.restore", quiet(100)));

        assertThat(compare(before, before.replace("-Xmx1g", "-Xmx2g"), "")).isEqualTo(ExitCode.OK);
        assertThat(out).contains(" JVM arguments differ: [-Xmx1g] / [-Xmx2g]\n");
        // How wide the terminal was is none of the benchmark's business.
        assertThat(compare(before, before.replace("\"-Xmx1g\"", "\"-Xmx1g\",\"-Dmmutex.tty=80\""), ""))
                .isEqualTo(ExitCode.OK);
        assertThat(out).doesNotContain("JVM arguments differ");
    }

    @Test
    void shouldCompareRuns() throws JsonProcessingException {
        final String before = run("svm-counters", 1, List.of(900L, 500L, 501L, 502L, 501L));
        final String after = run("svm-counters", 2, List.of(900L, 700L, 702L, 701L, 703L));

        assertThat(compare(before, after, "--json")).isEqualTo(ExitCode.REGRESSION);
        assertThat(verdicts()).containsExactly("slower", "slower", "slower");
        compare(before, after, "");
        assertThat(out).contains("Some have one fork only");
    }

    @Test
    void shouldRefuseFilesWithoutACommonBenchmark() {
        assertThat(compare(
                        saved(HERE, time("Restore.restore", quiet(100))),
                        saved(HERE, rate("Restore.restore", quiet(100))),
                        ""))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("have no benchmark in common").hasLineCount(1);
    }

    @Test
    void shouldRefuseOneBenchmarkInTwoUnits() {
        final String before = saved(HERE, time("Restore.restore", quiet(100)));

        assertThat(compare(before, before.replace("ns/op", "us/op"), "")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("Restore.restore pages=1 is in ns/op in ").hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--threshold little | --threshold must be a percentage such as 5%, was 'little'",
                "--threshold -5% | --threshold must be a percentage such as 5%, was '-5%'",
                "--threshold 0% | --threshold must be 0.01 to 1000, was 0",
                "--confidence 100% | --confidence must be 50 to 99.9, was 100",
                "--seed x | invalid value for option '--seed': 'x' is not a long",
                "third.json | unmatched argument at index 3: 'third.json'"
            })
    void shouldRefuseBadOptions(final String options, final String message) {
        final String file = saved(HERE, time("Restore.restore", quiet(100)));

        assertThat(compare(file, file, options)).isEqualTo(ExitCode.USAGE);
        assertThat(err).startsWith("mmutex compare: " + message).hasLineCount(1);
        assertThat(out).isEmpty();
    }

    @Test
    void shouldReportABrokenFileInOneLine() {
        assertThat(compare(saved(HERE, time("Restore.restore", quiet(100))), "{\"format\":", ""))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err)
                .startsWith("mmutex compare: " + folder.resolve("b.json") + " line 1: is not JSON: ")
                .hasLineCount(1);
        assertThat(out).isEmpty();
    }

    private List<String> verdicts() throws JsonProcessingException {
        final List<String> verdicts = new ArrayList<>();
        json().get("rows").forEach(row -> verdicts.add(row.get("verdict").asText()));
        return verdicts;
    }

    private JsonNode json() throws JsonProcessingException {
        return new ObjectMapper().readTree(out);
    }

    private int compare(final String a, final String b, final String options) {
        final PrintStream oldOut = System.out;
        final PrintStream oldErr = System.err;
        final ByteArrayOutputStream newOut = new ByteArrayOutputStream();
        final ByteArrayOutputStream newErr = new ByteArrayOutputStream();
        System.setOut(new PrintStream(newOut, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(newErr, true, StandardCharsets.UTF_8));
        try {
            final Stream<String> files = Stream.of(
                    "compare",
                    ResultFiles.write(folder, "a.json", a).toString(),
                    ResultFiles.write(folder, "b.json", b).toString());
            final Stream<String> others = Stream.of(options.split(" +")).filter(option -> !option.isEmpty());
            return CommandRunner.run(
                    List.of(new CompareCommand()), Stream.concat(files, others).toArray(String[]::new));
        } finally {
            System.setOut(oldOut);
            System.setErr(oldErr);
            out = newOut.toString(StandardCharsets.UTF_8);
            err = newErr.toString(StandardCharsets.UTF_8);
        }
    }
}
