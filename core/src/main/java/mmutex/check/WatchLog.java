package mmutex.check;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the watches found, a line for each different finding. Any thread. */
final class WatchLog {
    private static final int FINDINGS_MAX = 100;

    /** Finding to invariant. */
    private final Map<String, String> findings = new ConcurrentHashMap<>();

    void violated(final String invariant, final String what) {
        if (findings.size() < FINDINGS_MAX) {
            findings.putIfAbsent(what, invariant);
        }
    }

    void addTo(final CheckReport report) {
        findings.forEach((what, invariant) -> report.violated(invariant, what));
    }
}
