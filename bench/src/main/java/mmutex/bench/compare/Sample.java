package mmutex.bench.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.math3.stat.StatUtils;

/**
 * What was measured of one benchmark: a figure per iteration of every fork, all positive.
 *
 * @param unit of the figures
 * @param forks at least one, each with at least one iteration
 */
record Sample(String unit, Direction direction, List<double[]> forks) {
    /** Every fork's mean. */
    double[] forkMeans() {
        return forks.stream().mapToDouble(StatUtils::mean).toArray();
    }

    /** The mean of the forks' means: forks count alike, however many iterations they have. */
    double score() {
        return StatUtils.mean(forkMeans());
    }

    /**
     * The figures that are independent of each other: the forks' means. Of a single fork there is nothing better than its
     * iterations, which share whatever made this fork fast or slow.
     */
    double[] units() {
        return forks.size() > 1 ? forkMeans() : forks.get(0).clone();
    }

    int iterations() {
        return forks.stream().mapToInt(fork -> fork.length).sum();
    }

    /** The same benchmark, measured once more in the same conditions. */
    Sample plus(final Sample other) {
        final List<double[]> all = new ArrayList<>(forks);
        all.addAll(other.forks);
        return new Sample(unit, direction, List.copyOf(all));
    }

    @Override
    public String toString() {
        return forks.stream().map(Arrays::toString).toList() + " " + unit;
    }
}
