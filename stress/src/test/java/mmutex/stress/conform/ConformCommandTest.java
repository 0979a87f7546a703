package mmutex.stress.conform;

import static mmutex.stress.conform.Lines.recorded;
import static mmutex.stress.conform.Lines.scenario;
import static mmutex.stress.conform.Lines.step;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mmutex.cli.CommandRunner;
import mmutex.cli.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConformCommandTest {
    private static final String MMAP = step(0, "mmap", "'at':'A','n':1,'kind':'anon_private','prot':'rw'", "");
    private static final String PASSING = scenario("fine", MMAP);
    private static final String FAILING = scenario("wrong", MMAP, step(1, "cpu_read", "'at':'A'", ",'val':5"));
    private static final String UNSUPPORTED = scenario("later", MMAP, step(1, "clear_refs", "'val':1", ""));
    private static final String BROKEN =
            scenario("bad", MMAP, recorded(1, "p", "munmap", "'at':'A','n':-3", "'ret':0"));

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void shouldSucceedWithoutFailures() throws IOException {
        assertThat(run(file(PASSING, UNSUPPORTED))).isEqualTo(ExitCode.OK);
        assertThat(stdout())
                .contains(" pass         fine\n")
                .contains(" unsupported  later  step 1 clear_refs   not emulated: clear_refs 1\n")
                .contains(" pass              1\n")
                .contains(" unsupported       1   clear_refs 1 (1)\n")
                .contains(" FAIL              0\n");
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void shouldSayWhereAScenarioFails() throws IOException {
        assertThat(run(file(PASSING, FAILING))).isEqualTo(ExitCode.FINDING);
        assertThat(stdout())
                .contains(" FAIL         wrong  step 1 cpu_read A   val   expected 5   got 0\n")
                .contains("./mmutex conform --only wrong --trace " + folder);
    }

    @Test
    void shouldShowTheStepsAroundADifference() throws IOException {
        assertThat(run("--trace", file(PASSING, FAILING))).isEqualTo(ExitCode.FINDING);
        assertThat(stdout()).contains("recorded ret=0 val=5").contains("emulated ret=0 val=0");
    }

    @Test
    void shouldPrintAnObjectPerScenarioAndASummary() throws IOException {
        assertThat(run("--json", file(PASSING, FAILING, UNSUPPORTED))).isEqualTo(ExitCode.FINDING);

        final List<JsonNode> lines = new ArrayList<>();
        for (final String line : stdout().split("\n")) {
            lines.add(JsonMapper.builder().build().readTree(line));
        }
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0).get("scenario").textValue()).isEqualTo("fine");
        assertThat(lines.get(0).get("status").textValue()).isEqualTo("pass");
        assertThat(lines.get(0).get("step").isNull()).isTrue();
        assertThat(lines.get(1).get("status").textValue()).isEqualTo("fail");
        assertThat(lines.get(1).get("step").intValue()).isEqualTo(1);
        assertThat(lines.get(1).get("field").textValue()).isEqualTo("val");
        assertThat(lines.get(1).get("expected").intValue()).isEqualTo(5);
        assertThat(lines.get(1).get("actual").intValue()).isZero();
        assertThat(lines.get(2).get("status").textValue()).isEqualTo("unsupported");
        assertThat(lines.get(2).get("reason").textValue()).contains("clear_refs 1");
        assertThat(lines.get(3)).hasToString("{\"summary\":{\"pass\":1,\"fail\":1,\"unsupported\":1}}");
    }

    @Test
    void shouldReplayOnlyWhatIsAskedFor() throws IOException {
        final String file = file(PASSING, FAILING);

        assertThat(run("--only", "fine", file)).isEqualTo(ExitCode.OK);
        assertThat(run("--only", "fine", "--only", "wrong", file)).isEqualTo(ExitCode.FINDING);
        assertThat(run("--only", "absent", file)).isEqualTo(ExitCode.USAGE);
        assertThat(stderr()).isEqualTo("mmutex conform: --only absent: no scenario of that name\n");
    }

    @Test
    void shouldReportABrokenFileInOneLineAndReplayNothing() throws IOException {
        final String broken = file(PASSING, FAILING, BROKEN);

        assertThat(run(broken)).isEqualTo(ExitCode.USAGE);
        assertThat(stdout()).isEmpty();
        assertThat(stderr())
                .isEqualTo("mmutex conform: " + broken
                        + " line 3: step 1: 'n' must not be negative or above 2^64 - 1, was -3\n");
    }

    @Test
    void shouldReportAMissingFile() {
        assertThat(run("nowhere.jsonl")).isEqualTo(ExitCode.USAGE);
        assertThat(stderr()).isEqualTo("mmutex conform: nowhere.jsonl: no such file\n");
    }

    @Test
    void shouldReplayTheShippedRecordingsWithoutAFile() {
        assertThat(run("--only", "basic_read_restore")).isEqualTo(ExitCode.OK);
        assertThat(stdout()).contains("shipped:6.12/scenarios.jsonl").contains(" pass              3\n");
    }

    private String file(final String... lines) throws IOException {
        final Path file = folder.resolve("recording.jsonl");
        Files.writeString(file, String.join("\n", lines).replace('\'', '"') + "\n");
        return file.toString();
    }

    private int run(final String... arguments) {
        final List<String> command = new ArrayList<>(List.of("conform"));
        command.addAll(List.of(arguments));
        final PrintStream stdout = System.out;
        final PrintStream stderr = System.err;
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            return CommandRunner.run(List.of(new ConformCommand()), command.toArray(String[]::new));
        } finally {
            System.setOut(stdout);
            System.setErr(stderr);
        }
    }

    private String stdout() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String stderr() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
