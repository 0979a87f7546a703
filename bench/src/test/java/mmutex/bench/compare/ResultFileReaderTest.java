package mmutex.bench.compare;

import static mmutex.bench.compare.ResultFiles.HERE;
import static mmutex.bench.compare.ResultFiles.array;
import static mmutex.bench.compare.ResultFiles.quiet;
import static mmutex.bench.compare.ResultFiles.result;
import static mmutex.bench.compare.ResultFiles.run;
import static mmutex.bench.compare.ResultFiles.saved;
import static mmutex.bench.compare.ResultFiles.time;
import static mmutex.bench.compare.ResultFiles.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ResultFileReaderTest {
    @TempDir
    private Path folder;

    @Test
    void shouldReadEveryForkAndIteration() {
        final ResultFile file = read(saved(HERE, time("Restore.restore", new double[] {1, 2}, new double[] {3})));

        final Sample sample = file.samples()
                .get(new BenchmarkKey("mmutex.bench.jmh.Restore.restore", Map.of("pages", "1"), "avgt", 1));
        assertThat(sample.unit()).isEqualTo("ns/op");
        assertThat(sample.forks()).containsExactly(new double[] {1, 2}, new double[] {3});
        assertThat(sample.score()).isEqualTo(2.25);
        assertThat(file.environmentField("machine")).isEqualTo("EPYC");
        assertThat(file.jvmArguments()).containsExactly("-Xmx1g");
        assertThat(file.forkVms()).containsExactly("17.0.15 HotSpot 17.0.15+6");
    }

    @Test
    void shouldReadWhatJmhItselfWrites() throws IOException {
        final ResultFile file;
        try (InputStream in = ResultFileReaderTest.class.getResourceAsStream("jmh-1.37.json")) {
            file = read(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }

        assertThat(file.environment()).isNull();
        assertThat(file.samples()).hasSize(2);
        final Sample sampled = file.samples().get(file.samples().firstKey());
        assertThat(file.samples().firstKey().mode()).isEqualTo("sample");
        assertThat(sampled.forks()).containsExactly(new double[] {37.5, 50}, new double[] {40});
        final Sample timed = file.samples().get(file.samples().lastKey());
        assertThat(timed.score()).isCloseTo(1155.00976943585, within(1e-6));
        assertThat(timed.forks()).hasSize(2);
    }

    @Test
    void shouldTakeEachRunInAFileForAForkAndItsSecondsForIterations() {
        final ResultFile file = read(
                run("svm-counters", 1, List.of(900L, 500L, 510L)) + run("svm-counters", 2, List.of(900L, 600L, 610L)));

        assertThat(file.samples().keySet())
                .extracting(key -> key.name() + " " + key.mode())
                .containsExactly(
                        "run svm-counters.operations thrpt",
                        "run svm-counters.restore p50",
                        "run svm-counters.restore p99");
        final Sample p50 = file.samples().values().stream().toList().get(1);
        // The first second is the JVM's warm-up.
        assertThat(p50.forks()).containsExactly(new double[] {500, 510}, new double[] {600, 610});
    }

    @Test
    void shouldReadARunWithoutIntervalsAsOneFigure() {
        final ResultFile file = read(run("svm-counters", 1, List.of(900L)).replaceAll("\"intervals\":\\[.*?\\],", ""));

        assertThat(file.samples().values())
                .allSatisfy(sample -> assertThat(sample.iterations()).isEqualTo(1));
    }

    static List<List<String>> wrong() {
        final String good = time("Good.good", quiet(5));
        return List.of(
                List.of("", "is empty, expected a file of bench --save"),
                List.of("{\"a\":\n oops}", " line 2: is not JSON: Unrecognized token 'oops'"),
                List.of("[{\"a\":1}", " line 1: is not JSON: Unexpected end-of-input"),
                List.of("{\"a\":NaN}", "is not JSON: Non-standard token 'NaN'"),
                List.of("{\"a\":1}", "has no 'format', expected a file of bench --save"),
                List.of("[] []", "holds 2 JSON values"),
                List.of("[]", "holds no results"),
                List.of(
                        "{\"format\":\"mmutex-bench/2\"}",
                        "has the format 'mmutex-bench/2', expected 'mmutex-bench/1'"),
                List.of("{\"format\":\"mmutex-bench/1\"}", "has no object 'environment'"),
                List.of("{\"format\":\"mmutex-bench/1\",\"environment\":{}}", "has no array 'results'"),
                List.of(array("{}"), "[0] has no text 'benchmark'"),
                List.of(array(good, "{\"benchmark\":\"x\",\"mode\":\"fast\"}"), "[1]: unknown mode 'fast'"),
                List.of(
                        array("{\"benchmark\":\"x\",\"mode\":\"avgt\",\"primaryMetric\":{\"score\":5}}"),
                        "[0].primaryMetric.rawData (x) is missing"),
                List.of(raw("[]"), "rawData (mmutex.bench.jmh.X.x) is missing"),
                List.of(raw("[[1],[]]"), "rawData[1] (mmutex.bench.jmh.X.x) must be an array of iterations"),
                List.of(raw("[7]"), "rawData[0] (mmutex.bench.jmh.X.x) must be an array of iterations"),
                List.of(raw("[[1,\"NaN\"]]"), "rawData[0][1] (mmutex.bench.jmh.X.x) must be a number, was NaN"),
                List.of(raw("[[1,-2.5]]"), "rawData[0][1] (mmutex.bench.jmh.X.x) must be positive, was -2.5"),
                List.of(raw("[[0]]"), "rawData[0][0] (mmutex.bench.jmh.X.x) must be positive, was 0"),
                List.of(raw("[[1e999]]"), "rawData[0][0] (mmutex.bench.jmh.X.x) must be positive, was "),
                List.of(raw("[[null]]"), "rawData[0][0] (mmutex.bench.jmh.X.x) must be a number, was null"),
                List.of(
                        array(good, result("Good.good", "avgt", "us/op", "[[1]]")),
                        "Good.good pages=1 has two units, ns/op and us/op"),
                List.of("{\"workload\":\"x\"}", "holds a JSON value that run --json did not print"),
                List.of(
                        run("x", 1, List.of(5L)) + run("x", 1, List.of(5L)).replace("EPYC", "Xeon"),
                        "holds runs from different machines or JDKs: machine (EPYC / Xeon)"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void shouldSayWhatIsWrongAndWhere(final List<String> contentAndMessage) {
        assertThatThrownBy(() -> read(contentAndMessage.get(0)))
                .isInstanceOf(UsageProblem.class)
                .hasMessageStartingWith(folder.resolve("results.json").toString())
                .hasMessageContaining(contentAndMessage.get(1));
    }

    @Test
    void shouldSayThatAFileCannotBeRead() {
        assertThatThrownBy(() -> ResultFileReader.read(folder.resolve("none.json")))
                .isInstanceOf(UsageProblem.class)
                .hasMessageEndingWith("none.json: cannot be read (no such file)");
        assertThatThrownBy(() -> ResultFileReader.read(folder)).isInstanceOf(UsageProblem.class);
    }

    private static String raw(final String raw) {
        return array(result("X.x", "avgt", "ns/op", raw));
    }

    private ResultFile read(final String content) {
        return ResultFileReader.read(write(folder, "results.json", content));
    }
}
