package mmutex.bench.anatomy;

import java.util.Arrays;

/**
 * Mean times of the paths between two quantiles of the path's whole time. NaN where there was no path.
 *
 * @param from quantile, 0 to 1
 * @param to quantile
 * @param wholeNs of paths timed as a whole, without the cost of the time stamp
 * @param phasesNs of paths timed phase by phase, in order and the exit last, without the cost of time stamps; a phase
 *     shorter than the calibration is exact may come out a bit below zero
 * @param rawNs of the latter as they were, with the cost of time stamps
 * @param intervals between time stamps in one of these
 */
public record Band(double from, double to, double wholeNs, double[] phasesNs, double rawNs, double intervals) {
    /** The phases together. */
    public double sumNs() {
        return Arrays.stream(phasesNs).sum();
    }

    /** By which part the sum of the phases is more (or less) than the whole. */
    public double distance() {
        return sumNs() / wholeNs - 1;
    }

    /** What the time stamps cost a path that is timed phase by phase, as a part of the whole. */
    public double overhead() {
        return (rawNs - sumNs()) / wholeNs;
    }
}
