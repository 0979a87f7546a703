package mmutex.bench.targets;

import java.util.Map;
import mmutex.bench.nativefloor.NativeResult;
import mmutex.bench.nativefloor.Yardstick;
import mmutex.bench.targets.Target.Figures;

/** What one repetition has measured: results by the step that measured them. NaN for what could not be measured. */
final class Repetition {
    static final int FEW_PAGES = 256;
    static final int MANY_PAGES = 1 << 18;

    private final Map<String, NativeResult> results;

    Repetition(final Map<String, NativeResult> results) {
        this.results = results;
    }

    /** Name of the step that measures an implementation. */
    static String rivals(final String implementation, final int threads, final int pages) {
        return implementation + " " + threads + "t " + pages;
    }

    double ours(final String row) {
        return median("ours", row);
    }

    double ring(final String row) {
        return median("ring", row);
    }

    double protocol(final String row) {
        return median("protocol", row);
    }

    /**
     * The C baseline of a path: the better one of a straight version of the protocol, and of what such a version takes on a
     * machine whose locked add costs what it does here.
     *
     * @param adds the path's, of {@link Yardstick}
     */
    double c(final String row, final double adds) {
        final double straight = median("straight", row);
        final NativeResult protocol = results.get("protocol");
        if (protocol == null) {
            return straight;
        }
        final double yardstick = Yardstick.ns(adds, protocol);
        return Double.isNaN(straight) ? yardstick : Math.min(straight, yardstick);
    }

    double roundTrip() {
        return median("roundtrip", "round-trip");
    }

    double userfault() {
        return median("userfault", "userfault");
    }

    /** With a handler thread, as userfaultfd's. */
    double sigsegv() {
        return median("sigsegv", "sigsegv-thread");
    }

    /** Of access and pair, the one in which ours compares worse. */
    Figures worst(final String rival, final int threads, final int pages) {
        final String ours = rivals("MMUTEX", threads, pages);
        final String theirs = rivals(rival, threads, pages);
        final Figures access = new Figures(median(ours, "access"), median(theirs, "access"));
        final Figures pair = new Figures(median(ours, "pair"), median(theirs, "pair"));
        return access.baseline() / access.ours() < pair.baseline() / pair.ours() ? access : pair;
    }

    private double median(final String step, final String row) {
        final NativeResult result = results.get(step);
        return result == null ? Double.NaN : result.row(row).median();
    }
}
