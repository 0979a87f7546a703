package mmutex.bench.nativefloor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import mmutex.cli.ExitCode;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Test;

class NativeCommandTest {
    private static final Map<String, String> NO_COMPILER = Map.of("CC", "/nonexistent");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(final Map<String, String> environment, final String... arguments) throws IOException {
        return NativeCommand.run(
                List.of(arguments), environment, new PrintStream(out, true), new PrintStream(err, true));
    }

    @Test
    void shouldPrintOurFiguresWithoutACompiler() throws IOException {
        assertThat(run(NO_COMPILER, "--native", "--json", "--seconds", "0.1", "--repetitions", "1"))
                .isEqualTo(ExitCode.OK);

        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("mmutex bench: no C compiler found: CC is '/nonexistent'; printing our figures alone");
        final JsonNode json = new ObjectMapper().readTree(out.toString(StandardCharsets.UTF_8));
        assertThat(json.path("environment").has("jdk")).isTrue();
        assertThat(json.path("environment").path("compiler").isNull()).isTrue();
        assertThat(json.path("rows")).hasSameSizeAs(Comparison.ALL);
        for (final JsonNode row : json.path("rows")) {
            assertThat(row.fieldNames())
                    .toIterable()
                    .containsExactly(
                            "path", "medianNs", "p99Ns", "oursMedianNs", "oursP99Ns", "ratioToOurs", "unavailable");
            assertThat(row.path("medianNs").isNull()).isTrue();
            assertThat(row.path("ratioToOurs").isNull()).isTrue();
            assertThat(row.path("unavailable").asText()).startsWith("no C compiler");
        }
        assertThat(json.path("rows").get(0).path("oursMedianNs").asDouble()).isPositive();
    }

    @Test
    void shouldPrintALineForEachPath() throws IOException {
        assertThat(run(System.getenv(), "--native", "--seconds", "0.1", "--repetitions", "1"))
                .isEqualTo(ExitCode.OK);

        final List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(1 + Comparison.ALL.size());
        assertThat(lines.get(0).split(" {2,}"))
                .containsExactly("path", "median ns", "p99 ns", "ours median", "ours p99", "ratio");
        for (int i = 0; i < Comparison.ALL.size(); i++) {
            assertThat(lines.get(i + 1)).startsWith(Comparison.ALL.get(i).path() + " ");
        }
        if (NativePrograms.build().isUsable()) {
            assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
            assertThat(lines.get(1)).doesNotContain(" - ");
        }
    }

    @Test
    void shouldRefuseBadOptions() {
        for (final List<String> wrong : List.of(
                List.of("--native", "--seconds", "0"),
                List.of("--native", "--seconds", "x"),
                List.of("--native", "--repetitions", "0"),
                List.of("--native", "--frob"),
                List.of("--native", "Restore"))) {
            assertThatThrownBy(() -> NativeCommand.run(wrong)).as("%s", wrong).isInstanceOf(UsageProblem.class);
        }
    }
}
