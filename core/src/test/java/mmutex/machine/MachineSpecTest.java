package mmutex.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineSpecTest {
    private static MachineSpec spec(final int cpus, final long frames, final long tables, final int ring) {
        return new MachineSpec(SemanticProfile.K612, "x86-64", Delivery.RING, cpus, frames, tables, ring);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "0; 16; 16; 1; cpus must be 1 to 64, was 0",
                "-1; 16; 16; 1; cpus must be 1 to 64, was -1",
                "65; 16; 16; 1; cpus must be 1 to 64, was 65",
                "1; 15; 16; 1; frames must be 16 to 17179869184, was 15",
                "1; 17179869185; 16; 1; frames must be 16 to 17179869184, was 17179869185",
                "1; 16; 15; 1; tables must be 16 to 1073741824, was 15",
                "1; 16; 1073741825; 1; tables must be 16 to 1073741824, was 1073741825",
                "1; 16; 16; 0; ringCapacity must be 1 to 1048576, was 0",
                "1; 16; 16; 3; ringCapacity must be a power of two: ringCapacity=3",
                "1; 16; 16; 2097152; ringCapacity must be 1 to 1048576, was 2097152",
            })
    void shouldSayWhatIsOutOfRange(
            final int cpus, final long frames, final long tables, final int ring, final String message) {
        assertThatThrownBy(() -> spec(cpus, frames, tables, ring))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void shouldAcceptTheLimits() {
        spec(1, 16, 16, 1);
        spec(64, 1L << 34, 1L << 30, 1 << 20);
    }

    @Test
    void shouldChangeOneThingAtATime() {
        final MachineSpec spec = spec(2, 100, 50, 8);

        assertThat(spec.withProfile(SemanticProfile.K615))
                .isEqualTo(new MachineSpec(SemanticProfile.K615, "x86-64", Delivery.RING, 2, 100, 50, 8));
        assertThat(spec.withDelivery(Delivery.INLINE))
                .isEqualTo(new MachineSpec(SemanticProfile.K612, "x86-64", Delivery.INLINE, 2, 100, 50, 8));
        assertThat(spec.withCpus(7)).isEqualTo(spec(7, 100, 50, 8));
        assertThat(spec.withFrames(70)).isEqualTo(spec(2, 70, 50, 8));
        assertThat(spec.withRingCapacity(16)).isEqualTo(spec(2, 100, 50, 16));
        assertThatThrownBy(() -> spec.withCpus(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldDefaultToLinux612WithRingDelivery() {
        final MachineSpec spec = MachineSpec.defaults();

        assertThat(spec.profile()).isSameAs(SemanticProfile.K612);
        assertThat(spec.delivery()).isEqualTo(Delivery.RING);
        assertThat(spec.cpus()).isEqualTo(2);
    }

    @Test
    void shouldReportAnUnknownArchitecture() {
        final MachineSpec spec = new MachineSpec(SemanticProfile.K612, "vax", Delivery.RING, 1, 16, 16, 1);

        assertThatThrownBy(() -> new Machine(spec))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("unknown encoding: name=vax-6.12, known=[x86-64-6.12");
    }
}
