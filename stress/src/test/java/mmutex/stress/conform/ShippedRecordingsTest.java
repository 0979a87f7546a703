package mmutex.stress.conform;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import mmutex.stress.conform.Verdict.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The emulator against the real kernels. */
class ShippedRecordingsTest {
    private static final Set<String> EMULATED_GROUPS =
            Set.of("basic", "zero", "args", "holes", "prot", "fork", "multidev", "devaccess");
    private static final Set<String> EMULATED_FEATURES = Set.of("core", "fork", "twodev");

    /** What the groups above may not be stopped by. */
    private static final Set<String> DEVICE_PRIVATE_MEMORY = Set.of("migrate_to_dev", "migrate_to_sys", "release");

    private final Replayer replayer = new Replayer(false);

    static List<String> files() throws IOException {
        return Recordings.names();
    }

    @ParameterizedTest
    @MethodSource("files")
    void shouldNeverDifferFromTheKernel(final String file) throws IOException {
        assertThat(Recordings.read(file))
                .extracting(replayer::replay)
                .filteredOn(verdict -> verdict.status() == Status.FAIL)
                .extracting(verdict -> verdict.scenario().name() + " " + verdict.difference())
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("files")
    void shouldEmulateTheWholeOfTheseGroups(final String file) throws IOException {
        assertThat(Recordings.read(file).stream().filter(ShippedRecordingsTest::isEmulated))
                .extracting(replayer::replay)
                .filteredOn(verdict -> verdict.status() != Status.PASS)
                .filteredOn(verdict -> !DEVICE_PRIVATE_MEMORY.contains(verdict.reason()))
                .extracting(verdict -> verdict.scenario().name() + " " + verdict.reason())
                .isEmpty();
    }

    private static boolean isEmulated(final Scenario scenario) {
        return EMULATED_FEATURES.containsAll(scenario.tags())
                || scenario.tags().stream().anyMatch(EMULATED_GROUPS::contains);
    }

    @Test
    void shouldShipWhatWasRecorded() throws IOException {
        assertThat(Recordings.readAll())
                .hasSize(77 + 5 + 385 + 76 + 4 + 385 + 77 + 1 + 375)
                .extracting(scenario -> scenario.profile().name())
                .containsOnly("K612", "K514", "K615");
    }
}
