package mmutex.bench.torture;

import java.util.List;
import java.util.Map;
import mmutex.bench.run.Referee;

/**
 * What a round came to.
 *
 * @param options how it was run
 * @param elapsedNs how long
 * @param performed operations of hands, by name
 * @param additions device atomics
 * @param pauses times that everybody was stopped to count
 * @param happened what operations only sometimes achieve, and how often they did
 * @param invariants what the referee saw
 * @param findings what the oracles found, a line each
 */
record TortureResult(
        TortureOptions options,
        long elapsedNs,
        Map<String, Long> performed,
        long additions,
        int pauses,
        Map<String, Long> happened,
        Referee.Outcome invariants,
        List<String> findings) {

    /** Operations of hands. */
    long operations() {
        return performed.values().stream().mapToLong(Long::longValue).sum();
    }

    boolean isGood() {
        return findings.isEmpty() && invariants.violations().isEmpty();
    }
}
