package mmutex.bench.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mmutex.cli.CommandRunner;
import mmutex.cli.ExitCode;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.seam.SchedulePoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TortureCommandTest {
    private String out;
    private String err;

    private int run(final String arguments) {
        final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        final ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
        final PrintStream outBefore = System.out;
        final PrintStream errBefore = System.err;
        final int code;
        try {
            System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
            final List<String> words = new ArrayList<>(List.of("torture"));
            words.addAll(List.of(arguments.split(" +")));
            code = CommandRunner.run(List.of(new TortureCommand()), words.toArray(String[]::new));
        } finally {
            System.setOut(outBefore);
            System.setErr(errBefore);
        }
        out = outBytes.toString(StandardCharsets.UTF_8);
        err = errBytes.toString(StandardCharsets.UTF_8);
        return code;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--seconds 0 | --seconds must be 0.1 to 86400, was 0",
                "--cpus 17 | --cpus must be 1 to 16, was 17",
                "--devices 5 | --devices must be 0 to 4, was 5",
                "--profile K6 | unknown profile 'K6', expected one of V3, V9, K514, K612, K615",
                "--delivery mail | unknown delivery 'mail', expected one of ring, inline",
                "--seed x | invalid value for option '--seed': 'x' is not a long"
            })
    void shouldRefuseBadOptionsInOneLine(final String arguments, final String message) {
        assertThat(run(arguments)).isEqualTo(ExitCode.USAGE);
        assertThat(err).startsWith("mmutex torture: " + message).hasLineCount(1);
        assertThat(out).isEmpty();
    }

    @Test
    void shouldSayHowToGetAWatch() {
        assumeFalse(SchedulePoint.ENABLED, "the seam is on");
        assertThat(run("--watch")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("-Dmmutex.schedule=true").hasLineCount(1);
    }

    @Test
    void shouldTakeTurnsInAllProfilesAndDeliveries() throws IOException {
        assertThat(run("--seconds 1 --seed 9 --json")).as("%s%s", out, err).isEqualTo(ExitCode.OK);

        final List<JsonNode> rounds = new ArrayList<>();
        for (final String line : out.split("\n")) {
            rounds.add(new ObjectMapper().readTree(line));
        }
        assertThat(rounds).hasSize(SemanticProfile.ALL.size() * Delivery.values().length);
        assertThat(rounds.stream()
                        .map(round -> round.get("profile").asText()
                                + round.get("delivery").asText())
                        .distinct())
                .hasSize(rounds.size());
        assertThat(rounds).allSatisfy(round -> {
            assertThat(round.get("seed").asLong()).isEqualTo(9);
            assertThat(round.get("violations")).isEmpty();
            assertThat(round.get("findings")).isEmpty();
            assertThat(round.get("operations").size()).isGreaterThan(10);
            assertThat(round.get("environment").get("jdk").asText()).isNotEmpty();
        });
    }

    @Test
    void shouldPrintATableAndWhatWasDone() {
        assertThat(run("--seconds 0.3 --seed 9 --profile k612 --delivery INLINE"))
                .isEqualTo(ExitCode.OK);
        assertThat(out)
                .contains("1 round of 0.3 s · seed 9")
                .contains(" K612     inline ")
                .contains("AddToCounter");
        assertThat(err).isEmpty();
    }

    @Test
    void shouldNameARoundBySomethingThatRepeatsIt() {
        assertThat(TortureCommand.commandLine(new TortureOptions(SemanticProfile.V9, Delivery.RING, 3, 1, 2, 77, true)))
                .isEqualTo("torture --seconds 10 --seed 77 --profile V9 --delivery ring --cpus 3 --devices 1 --watch");
    }

    /** Watched, in a VM of its own: the seam is decided when a VM starts. */
    @ParameterizedTest
    @CsvSource({"K612", "K615"})
    void shouldHoldTheInstrumentedInvariants(final String profile) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add") || argument.startsWith("-XX"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Dmmutex.schedule=true",
                "-cp",
                System.getProperty("java.class.path"),
                "mmutex.bench.Main",
                "torture",
                "--watch",
                "--json",
                "--seconds",
                "2",
                "--delivery",
                "inline",
                "--profile",
                profile));
        final Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        final String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(printed).isEqualTo(ExitCode.OK);
        final String json =
                printed.lines().filter(line -> line.startsWith("{")).findFirst().orElseThrow();
        final JsonNode round = new ObjectMapper().readTree(json);
        assertThat(round.get("watched").asBoolean()).isTrue();
        assertThat(round.get("invariantsChecked").asInt()).isGreaterThanOrEqualTo(26);
        assertThat(round.get("violations")).isEmpty();
    }
}
