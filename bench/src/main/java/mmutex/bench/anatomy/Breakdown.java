package mmutex.bench.anatomy;

import java.util.ArrayList;
import java.util.List;
import mmutex.sync.PhaseProbe.Path;

/**
 * What a path's time consists of, for the fast runs of it and for the slow ones.
 *
 * @param cost of a time stamp, which is not in the bands
 * @param wholes paths timed as a whole
 * @param dissected paths timed phase by phase
 * @param bands disjoint, in order, together everything
 * @param most all but the slowest tenth, which often enough waited for a core and not for the path
 */
public record Breakdown(Path path, TimestampCost cost, long wholes, long dissected, List<Band> bands, Band most) {
    private static final double[] QUANTILES = {0, 0.5, 0.9, 0.99, 1};

    private static final double MOST = 0.9;

    /** Sums up. */
    public static Breakdown of(final Anatomy anatomy, final TimestampCost cost) {
        final List<Band> bands = new ArrayList<>();
        for (int i = 1; i < QUANTILES.length; i++) {
            bands.add(anatomy.band(QUANTILES[i - 1], QUANTILES[i], cost));
        }
        return new Breakdown(
                anatomy.path(),
                cost,
                anatomy.wholes(),
                anatomy.dissected(),
                List.copyOf(bands),
                anatomy.band(0, MOST, cost));
    }

    /** Whether there is a path of each kind. */
    public boolean isKnown() {
        return wholes > 0 && dissected > 0;
    }
}
