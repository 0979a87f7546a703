package mmutex.bench.run;

import java.util.List;
import java.util.function.ToLongFunction;

/** How evenly several devices were served. */
final class Fairness {
    private Fairness() {}

    /**
     * Jain's index: (sum of x)^2 / (n * sum of x^2): 1 if all have the same, 1/n if one has everything. 1 as well if
     * nobody has anything.
     */
    static double jain(final List<RunResult.Actor> devices, final ToLongFunction<RunResult.Actor> share) {
        double sum = 0;
        double squares = 0;
        for (final RunResult.Actor device : devices) {
            final double x = share.applyAsLong(device);
            sum += x;
            squares += x * x;
        }
        return squares == 0 ? 1 : sum * sum / (devices.size() * squares);
    }
}
