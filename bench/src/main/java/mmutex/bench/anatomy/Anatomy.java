package mmutex.bench.anatomy;

import java.util.Arrays;
import mmutex.sync.PhaseProbe.Path;

/**
 * Sums of a path's times, by how long the whole path took: of paths that were timed as a whole, and of others that were
 * timed phase by phase. From the sums come mean phases of the fast paths and of the slow ones; unlike percentiles of each
 * phase by itself, these add up.
 *
 * <p>Sums are raw, with the number of intervals beside them, so that the cost of time stamps is taken off in one place and
 * to fractions of a ns. Recording allocates nothing. Threads: one at a time.
 */
public final class Anatomy {
    /** Buckets of each power of two: 3 % wide at most. */
    private static final int PER_OCTAVE = 32;

    private static final int PER_OCTAVE_LOG2 = 5;

    /** Longer paths, of more than an hour, count with those. */
    private static final int BUCKETS = 1200;

    private final Path path;
    private final int parts;
    private final long[] wholeCounts = new long[BUCKETS];
    private final long[] wholeSums = new long[BUCKETS];
    private final long[] partCounts = new long[BUCKETS];
    private final long[] partSums;
    private final long[] partMarks;

    /** An empty one. */
    public Anatomy(final Path path) {
        this.path = path;
        this.parts = Phases.of(path).size() + 1;
        this.partSums = new long[BUCKETS * parts];
        this.partMarks = new long[BUCKETS * parts];
    }

    /** Whose times these are. */
    public Path path() {
        return path;
    }

    /** Phases, and the exit behind the last of them. */
    int parts() {
        return parts;
    }

    /** A path that was timed as a whole: {@code netNs} says where it belongs, {@code rawNs} is summed up. */
    void whole(final long netNs, final long rawNs) {
        final int bucket = bucket(netNs);
        wholeCounts[bucket]++;
        wholeSums[bucket] += rawNs;
    }

    /** A path that was timed phase by phase: raw times, and the number of intervals in each. */
    void parts(final long netNs, final long[] rawNs, final int[] marks) {
        final int bucket = bucket(netNs);
        partCounts[bucket]++;
        final int first = bucket * parts;
        for (int i = 0; i < parts; i++) {
            partSums[first + i] += rawNs[i];
            partMarks[first + i] += marks[i];
        }
    }

    /** Adds another actor's. */
    public void add(final Anatomy other) {
        if (other.path != path) {
            throw new IllegalArgumentException("paths differ: " + path + " and " + other.path);
        }
        add(wholeCounts, other.wholeCounts);
        add(wholeSums, other.wholeSums);
        add(partCounts, other.partCounts);
        add(partSums, other.partSums);
        add(partMarks, other.partMarks);
    }

    /** Forgets everything. */
    public void reset() {
        for (final long[] sums : new long[][] {wholeCounts, wholeSums, partCounts, partSums, partMarks}) {
            Arrays.fill(sums, 0);
        }
    }

    /** Paths that were timed as a whole. */
    public long wholes() {
        return Arrays.stream(wholeCounts).sum();
    }

    /** Paths that were timed phase by phase. */
    public long dissected() {
        return Arrays.stream(partCounts).sum();
    }

    /** The mean of all intervals between two time stamps, whatever was between them. */
    double meanInterval() {
        final long intervals = wholes() + Arrays.stream(partMarks).sum();
        return (double) (Arrays.stream(wholeSums).sum()
                        + Arrays.stream(partSums).sum())
                / intervals;
    }

    /**
     * The paths between two quantiles, of each kind: the paths that are timed as a whole are ranked among themselves, and so
     * are the others. A bucket that a quantile divides counts in part.
     *
     * @param from 0 to 1
     * @param to more than that
     * @param cost to take off
     */
    Band band(final double from, final double to, final TimestampCost cost) {
        final double[] ofWholes = weights(wholeCounts, from, to);
        final double[] ofParts = weights(partCounts, from, to);
        final double wholeNs = weighted(ofWholes, wholeSums, 1, 0) / weighted(ofWholes, wholeCounts, 1, 0);
        final double dissected = weighted(ofParts, partCounts, 1, 0);
        final double[] phasesNs = new double[parts];
        double intervals = 0;
        double rawNs = 0;
        for (int i = 0; i < parts; i++) {
            final double raw = weighted(ofParts, partSums, parts, i) / dissected;
            final double marks = weighted(ofParts, partMarks, parts, i) / dissected;
            phasesNs[i] = raw - marks * cost.markNs();
            intervals += marks;
            rawNs += raw;
        }
        return new Band(from, to, wholeNs - cost.wholeNs(), phasesNs, rawNs, intervals);
    }

    private static double weighted(final double[] weights, final long[] values, final int stride, final int offset) {
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * values[i * stride + offset];
        }
        return sum;
    }

    /** The part of each bucket that lies between two quantiles. */
    private static double[] weights(final long[] counts, final double from, final double to) {
        final double all = Arrays.stream(counts).sum();
        final double[] weights = new double[counts.length];
        double before = 0;
        for (int i = 0; i < counts.length; i++) {
            final double after = before + counts[i];
            final double inside = Math.min(after, to * all) - Math.max(before, from * all);
            weights[i] = inside <= 0 ? 0 : inside / counts[i];
            before = after;
        }
        return weights;
    }

    private static void add(final long[] sums, final long[] more) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += more[i];
        }
    }

    /** Below {@value #PER_OCTAVE}: each its own; above, as many buckets for each power of two. */
    private static int bucket(final long ns) {
        final int shift = Math.max(0, Long.SIZE - 1 - PER_OCTAVE_LOG2 - Long.numberOfLeadingZeros(ns));
        return (int) Math.min(BUCKETS - 1, (long) shift * PER_OCTAVE + (ns >>> shift));
    }
}
