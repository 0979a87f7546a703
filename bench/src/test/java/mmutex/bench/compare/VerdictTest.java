package mmutex.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {
    @ParameterizedTest
    @CsvSource({
        "1.06, 1.20, SLOWER, FASTER",
        "0.80, 0.94, FASTER, SLOWER",
        "0.96, 1.04, SAME, SAME",
        "1.01, 1.04, SAME, SAME",
        // Across a threshold, or both.
        "1.03, 1.07, TOO_NOISY, TOO_NOISY",
        "0.94, 1.00, TOO_NOISY, TOO_NOISY",
        "0.70, 1.50, TOO_NOISY, TOO_NOISY",
        // 1/1.05 is 0.952: halving and doubling are one and the same change.
        "0.953, 1.00, SAME, SAME",
        "0.90, 0.951, FASTER, SLOWER",
        "NaN, NaN, TOO_NOISY, TOO_NOISY"
    })
    void shouldJudgeTheWholeInterval(final double low, final double high, final Verdict ofTime, final Verdict ofRate) {
        final Interval interval = new Interval(low, high);

        assertThat(Verdict.of(interval, Direction.LOWER_IS_BETTER, 0.05)).isEqualTo(ofTime);
        assertThat(Verdict.of(interval, Direction.HIGHER_IS_BETTER, 0.05)).isEqualTo(ofRate);
    }
}
