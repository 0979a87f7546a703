package mmutex.stress.conform;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import mmutex.stress.conform.Verdict.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The emulator against the real kernels. */
class ShippedRecordingsTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("basedir", "")).resolve("../docs/conformance.md");

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

    @Test
    void shouldShipWhatWasRecorded() throws IOException {
        assertThat(Recordings.readAll())
                .hasSize(77 + 5 + 385 + 76 + 4 + 385 + 77 + 1 + 375)
                .extracting(scenario -> scenario.profile().name())
                .containsOnly("K612", "K514", "K615");
    }
}
