package mmutex.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BootstrapTest {
    private static final long SEED = 42;

    private final Bootstrap bootstrap = new Bootstrap(0.95, SEED);

    @Test
    void shouldFindAPointWhereNothingVaries() {
        final Interval interval =
                bootstrap.ratio(sample(new double[][] {{4, 4}, {4, 4}}), sample(new double[][] {{6}, {6}}));

        assertThat(interval.low()).isCloseTo(1.5, within(1e-9));
        assertThat(interval.high()).isCloseTo(1.5, within(1e-9));
    }

    @Test
    void shouldKnowNothingOfWhatWasMeasuredOnce() {
        final Sample once = sample(new double[][] {{4}});
        final Sample often = sample(ResultFiles.quiet(4));

        assertThat(bootstrap.ratio(once, once).isKnown()).isFalse();
        assertThat(bootstrap.ratio(often, once).isKnown()).isFalse();
        assertThat(bootstrap.ratio(once, often).isKnown()).isFalse();
        assertThat(bootstrap.ratio(often, often).isKnown()).isTrue();
    }

    @Test
    void shouldGiveTheSameIntervalForTheSameSeedAlone() {
        final Sample a = sample(ResultFiles.quiet(100));
        final Sample b = sample(ResultFiles.quiet(110));

        assertThat(bootstrap.ratio(a, b)).isEqualTo(new Bootstrap(0.95, SEED).ratio(a, b));
        assertThat(bootstrap.ratio(a, b)).isNotEqualTo(new Bootstrap(0.95, SEED + 1).ratio(a, b));
    }

    @Test
    void shouldBeAsWideAsForksDifferHoweverQuietTheirIterationsAre() {
        final Sample quietInside = sample(new double[][] {{90, 90, 90}, {100, 100, 100}, {110, 110, 110}});
        final Sample quiet = sample(ResultFiles.quiet(100));

        final Interval interval = bootstrap.ratio(quiet, quietInside);

        // Student's interval of three forks with a standard deviation of 10 %, 2 degrees of freedom.
        final double half = 4.303 * 0.1 / Math.sqrt(3);
        assertThat(Math.log(interval.low())).isCloseTo(-half, within(0.08));
        assertThat(Math.log(interval.high())).isCloseTo(half, within(0.08));
    }

    @ParameterizedTest
    @CsvSource({"2", "3", "5", "10"})
    void shouldCoverTheTrueRatioAboutAsOftenAsPromised(final int forks) {
        final Random random = new Random(SEED + forks);
        int covered = 0;
        final int times = 400;
        for (int i = 0; i < times; i++) {
            final Interval interval = bootstrap.ratio(drawn(random, 100, forks), drawn(random, 130, forks));
            if (interval.low() <= 1.3 && 1.3 <= interval.high()) {
                covered++;
            }
        }

        // 95 % less three standard deviations of 400 trials; above it is no harm.
        assertThat(covered / (double) times)
                .as("seed %d, %d forks", SEED, forks)
                .isGreaterThan(0.95 - 3 * 0.011);
    }

    /** Forks that differ by 3 %, iterations by 2 %. */
    private static Sample drawn(final Random random, final double mean, final int forks) {
        final List<double[]> figures = new ArrayList<>();
        for (int i = 0; i < forks; i++) {
            final double ofFork = mean * (1 + 0.03 * random.nextGaussian());
            figures.add(random.doubles(5)
                    .map(uniform -> ofFork * (1 + 0.02 * random.nextGaussian()))
                    .toArray());
        }
        return new Sample("ns/op", Direction.LOWER_IS_BETTER, figures);
    }

    private static Sample sample(final double[][] forks) {
        return new Sample("ns/op", Direction.LOWER_IS_BETTER, List.of(forks));
    }
}
