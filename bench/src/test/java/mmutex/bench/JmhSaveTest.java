package mmutex.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import mmutex.bench.compare.CompareCommand;
import mmutex.cli.CommandRunner;
import mmutex.cli.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JmhSaveTest {
    /** In this VM, without warm-up: what counts here is the file, not the figures. */
    private static final String[] SHORTLY = {
        "-f", "0", "-wi", "0", "-i", "2", "-r", "1ms", "-p", "subscriber=NONE", "RoundTripBenchmark"
    };

    @TempDir
    private Path folder;

    private String err;

    @Test
    void shouldKeepRawDataAndEnvironment() throws IOException {
        assumeTrue(
                JmhCommand.class.getResource("/META-INF/BenchmarkList") != null,
                "compiled without annotation processor");
        final Path file = folder.resolve("results.json");
        final Path plain = folder.resolve("plain.json");

        assertThat(run(concat(
                        List.of(
                                "bench",
                                "--save",
                                file.toString(),
                                "--seed",
                                "17",
                                "-rf",
                                "json",
                                "-rff",
                                plain.toString()),
                        SHORTLY)))
                .isEqualTo(ExitCode.OK);

        final JsonNode json = new ObjectMapper().readTree(Files.readString(file));
        assertThat(json.get("format").asText()).isEqualTo("mmutex-bench/1");
        assertThat(json.at("/environment/seed").asLong()).isEqualTo(17);
        for (final String field : List.of("machine", "cores", "memoryMiB", "os", "jdk", "jvmFlags", "commit")) {
            assertThat(json.get("environment").has(field)).as(field).isTrue();
        }
        assertThat(json.at("/results/0/benchmark").asText()).endsWith(".RoundTripBenchmark.makeAndRestore");
        assertThat(json.at("/results/0/primaryMetric/rawData/0")).hasSize(2);
        // JMH's own file is as ever, and both compare: they are the same figures.
        assertThat(new ObjectMapper().readTree(Files.readString(plain)).isArray())
                .isTrue();
        assertThat(run("compare", file.toString(), plain.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(run("compare", "--allow-different", file.toString(), plain.toString()))
                .isEqualTo(ExitCode.OK);
        assertThat(folder).isDirectoryNotContaining(path -> path.toString().endsWith(".tmp"));
    }

    @Test
    void shouldRefuseAPlaceThatCannotBeWrittenBeforeItRuns() {
        assertThat(run(concat(
                        List.of("bench", "--save", folder.resolve("none/x.json").toString()), SHORTLY)))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err).hasLineCount(1).startsWith("mmutex bench: ");
    }

    @Test
    void shouldRefuseToChangeTheSmokeSuite() {
        assertThat(run(concat(List.of("bench", "--smoke"), SHORTLY))).isEqualTo(ExitCode.USAGE);
        assertThat(err).hasLineCount(1).startsWith("mmutex bench: ");
    }

    private static String[] concat(final List<String> first, final String... rest) {
        final ArrayList<String> all = new ArrayList<>(first);
        all.addAll(List.of(rest));
        return all.toArray(String[]::new);
    }

    private int run(final String... arguments) {
        final PrintStream oldOut = System.out;
        final PrintStream oldErr = System.err;
        final ByteArrayOutputStream newErr = new ByteArrayOutputStream();
        System.setOut(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(newErr, true, StandardCharsets.UTF_8));
        try {
            return CommandRunner.run(List.of(new JmhCommand(), new CompareCommand()), arguments);
        } finally {
            System.setOut(oldOut);
            System.setErr(oldErr);
            err = newErr.toString(StandardCharsets.UTF_8);
        }
    }
}
