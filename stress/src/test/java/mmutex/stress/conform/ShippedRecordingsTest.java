package mmutex.stress.conform;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import mmutex.stress.conform.Verdict.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The emulator against the real kernels. */
class ShippedRecordingsTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("basedir", "")).resolve("../docs/conformance.md");
    private static final List<String> PROFILES = List.of("K514", "K612", "K615");
    /** A row that begins with an operation's name and goes on with three numbers. */
    private static final Pattern COVERED = Pattern.compile(
            "^\\| ((?:`[a-z_]+`(?:, )?)+) \\| ([0-9]+) \\| ([0-9]+) \\| ([0-9]+) \\|$", Pattern.MULTILINE);

    private static final Pattern WORD = Pattern.compile("`([a-z_]+)`");

    static List<String> files() throws IOException {
        return Recordings.names();
    }

    @ParameterizedTest
    @MethodSource("files")
    void shouldAgreeWithTheKernel(final String file) throws IOException {
        final List<Verdict> verdicts =
                Recordings.read(file).stream().map(new Replayer(false)::replay).toList();

        assertThat(verdicts)
                .filteredOn(verdict -> verdict.status() == Status.FAIL)
                .extracting(verdict -> verdict.scenario().name() + " " + verdict.difference())
                .isEmpty();
        assertThat(verdicts)
                .filteredOn(verdict -> verdict.status() == Status.UNSUPPORTED)
                .extracting(verdict -> verdict.scenario().name() + " " + verdict.reason())
                .isEmpty();
        assertThat(DOCUMENT)
                .content()
                .contains("| %s | %d | %d | 0 |"
                        .formatted(file, count(verdicts, Status.PASS), count(verdicts, Status.UNSUPPORTED)));
    }

    private static long count(final List<Verdict> verdicts, final Status status) {
        return verdicts.stream().filter(verdict -> verdict.status() == status).count();
    }

    /** The table of operations and profiles: each operation in one row, with as many steps as there are. */
    @Test
    void shouldCoverWhatTheDocumentSays() throws IOException {
        final Map<String, Map<String, Long>> steps = Recordings.readAll().stream()
                .flatMap(scenario -> scenario.steps().stream()
                        .map(step -> Map.entry(
                                step.operation().toString(), scenario.profile().name())))
                .collect(groupingBy(Map.Entry::getKey, groupingBy(Map.Entry::getValue, counting())));
        final Set<String> named = new HashSet<>();
        for (final MatchResult row :
                COVERED.matcher(Files.readString(DOCUMENT)).results().toList()) {
            final List<String> operations = WORD.matcher(row.group(1))
                    .results()
                    .map(word -> word.group(1))
                    .toList();
            for (int column = 0; column < PROFILES.size(); column++) {
                final String profile = PROFILES.get(column);
                assertThat(operations.stream()
                                .mapToLong(operation -> steps.get(operation).get(profile))
                                .sum())
                        .as(row.group(1) + " " + profile)
                        .isEqualTo(Long.parseLong(row.group(2 + column)));
            }
            assertThat(named).doesNotContainAnyElementsOf(operations);
            named.addAll(operations);
        }
        assertThat(named).containsExactlyInAnyOrderElementsOf(steps.keySet());
    }

    @Test
    void shouldShipWhatWasRecorded() throws IOException {
        assertThat(Recordings.readAll())
                .hasSize(77 + 5 + 385 + 76 + 4 + 385 + 77 + 1 + 375)
                .extracting(scenario -> scenario.profile().name())
                .containsOnly("K612", "K514", "K615");
    }
}
