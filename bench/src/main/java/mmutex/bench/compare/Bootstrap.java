package mmutex.bench.compare;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;
import org.apache.commons.math3.stat.inference.TTest;

/**
 * The confidence interval of a ratio of two benchmarks' scores, by a hierarchical bootstrap: forks are drawn with
 * replacement, then iterations within each fork drawn, since iterations of one fork resemble each other more than those of
 * different forks do.
 *
 * <p>Forks are few, and of few units a percentile interval is too narrow: three forks give 27 resamples, and the spread
 * among them is sqrt(2/3) of what it should be. So the distance of each resample from the observed ratio, on the log scale,
 * is stretched by sqrt(n/(n-1)) and by the ratio of Student's quantile (degrees of freedom as in Welch's test) to the
 * normal one, as T. Hesterberg proposes for small samples (What Teachers Should Know about the Bootstrap, 2015).
 *
 * <p>Same seed, same interval. Used by one thread.
 */
final class Bootstrap {
    /** Enough for two digits of the interval's ends. */
    static final int RESAMPLES = 10_000;

    private static final Percentile PERCENTILE = new Percentile();

    private final double confidence;
    private final long seed;

    /** Makes intervals that cover the true ratio with this probability, 0 to 1. */
    Bootstrap(final double confidence, final long seed) {
        this.confidence = confidence;
        this.seed = seed;
    }

    /** The interval of b's score / a's score. */
    Interval ratio(final Sample a, final Sample b) {
        final double[] unitsOfA = logs(a.units());
        final double[] unitsOfB = logs(b.units());
        if (unitsOfA.length < 2 || unitsOfB.length < 2) {
            return Interval.UNKNOWN;
        }
        final double observed = Math.log(b.score() / a.score());
        final double[] distances = new double[RESAMPLES];
        final SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < RESAMPLES; i++) {
            distances[i] = Math.log(resampled(b.forks(), random) / resampled(a.forks(), random)) - observed;
        }
        Arrays.sort(distances);
        final double stretch = stretch(unitsOfA, unitsOfB);
        final double tail = 100 * (1 - confidence) / 2;
        return new Interval(
                Math.exp(observed + stretch * PERCENTILE.evaluate(distances, tail)),
                Math.exp(observed + stretch * PERCENTILE.evaluate(distances, 100 - tail)));
    }

    /** The score of forks drawn from these. */
    private static double resampled(final List<double[]> forks, final SplittableRandom random) {
        double sum = 0;
        for (int i = 0; i < forks.size(); i++) {
            final double[] fork = forks.get(random.nextInt(forks.size()));
            double ofFork = 0;
            for (int j = 0; j < fork.length; j++) {
                ofFork += fork[random.nextInt(fork.length)];
            }
            sum += ofFork / fork.length;
        }
        return sum / forks.size();
    }

    private double stretch(final double[] a, final double[] b) {
        final double varianceOfA = StatUtils.variance(a);
        final double varianceOfB = StatUtils.variance(b);
        if (varianceOfA == 0 && varianceOfB == 0) {
            return 1; // nothing to stretch
        }
        final double quantile = (1 + confidence) / 2;
        final double student = new TDistribution(Welch.degreesOfFreedom(varianceOfA, a.length, varianceOfB, b.length))
                .inverseCumulativeProbability(quantile);
        final double normal = new NormalDistribution().inverseCumulativeProbability(quantile);
        final double fewest = Math.min(a.length, b.length);
        return student / normal * Math.sqrt(fewest / (fewest - 1));
    }

    private static double[] logs(final double[] values) {
        return Arrays.stream(values).map(Math::log).toArray();
    }

    /** Opens the door to the library's formula. */
    private static final class Welch extends TTest {
        static double degreesOfFreedom(final double varianceA, final int nA, final double varianceB, final int nB) {
            return new Welch().df(varianceA, varianceB, nA, nB);
        }
    }
}
