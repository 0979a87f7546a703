package mmutex.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BoundsTest {
    @Test
    void shouldReturnAValueInRange() {
        assertThat(Bounds.check("--cpus", 1, 1, 64)).isEqualTo(1);
        assertThat(Bounds.check("--cpus", 64, 1, 64)).isEqualTo(64);
        assertThat(Bounds.check("--pages", 1L << 40, 1, Long.MAX_VALUE)).isEqualTo(1L << 40);
        assertThat(Bounds.check("--seconds", 0.5, 0.1, 3600)).isEqualTo(0.5);
    }

    @Test
    void shouldNameOptionRangeAndValue() {
        assertThatThrownBy(() -> Bounds.check("--cpus", 0, 1, 64))
                .isInstanceOf(UsageProblem.class)
                .hasMessage("--cpus must be 1 to 64, was 0");
        assertThatThrownBy(() -> Bounds.check("--pages", -1L, 1, Long.MAX_VALUE))
                .hasMessage("--pages must be at least 1, was -1");
    }

    @Test
    void shouldWriteFractionsAsTyped() {
        assertThatThrownBy(() -> Bounds.check("--seconds", 0.0, 0.1, 3600))
                .hasMessage("--seconds must be 0.1 to 3600, was 0");
        assertThatThrownBy(() -> Bounds.check("--rate", Double.NaN, 1, Double.POSITIVE_INFINITY))
                .hasMessage("--rate must be at least 1, was NaN");
    }
}
