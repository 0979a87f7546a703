package mmutex.stress.litmus;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.grading.GradingResult;
import org.openjdk.jcstress.infra.grading.TestGrading;

/** What all forks of all tests saw, test by test; only what failed is told in detail. */
final class LitmusSummary {
    private final Map<String, List<TestResult>> byTest = new TreeMap<>();

    LitmusSummary(final Collection<TestResult> results) {
        for (final TestResult result : results) {
            byTest.computeIfAbsent(result.getName(), name -> new ArrayList<>()).add(result);
        }
    }

    boolean isEmpty() {
        return byTest.isEmpty();
    }

    boolean passed() {
        return failedTests() == 0;
    }

    void print(final PrintStream out) {
        out.printf(" pass %6d%n", byTest.size() - failedTests());
        if (passed()) {
            return;
        }
        out.printf(" FAIL %6d%n", failedTests());
        byTest.forEach((name, results) -> {
            final long failed = failedForks(results);
            if (failed > 0) {
                out.printf("   %s   in %d of %d forks%n", name, failed, results.size());
                causes(results).forEach((cause, times) -> out.printf("     %-60s %,d times%n", cause, times));
            }
        });
    }

    private long failedTests() {
        return byTest.values().stream()
                .filter(results -> failedForks(results) > 0)
                .count();
    }

    private static long failedForks(final List<TestResult> results) {
        return results.stream().filter(result -> !passed(result)).count();
    }

    private static boolean passed(final TestResult result) {
        return result.status() == Status.NORMAL && result.grading().isPassed;
    }

    /** Each forbidden outcome, and each way in which a fork broke down, with how often it was seen. */
    private static Map<String, Long> causes(final List<TestResult> results) {
        final Map<String, Long> causes = new TreeMap<>();
        for (final TestResult result : results) {
            if (result.status() != Status.NORMAL) {
                causes.merge("fork ended with " + result.status(), 1L, Long::sum);
                continue;
            }
            for (final GradingResult outcome : result.grading().gradingResults.values()) {
                if (!TestGrading.passed(outcome.expect, outcome.count)) {
                    final String cause = outcome.id + "   " + outcome.expect + ": " + outcome.description;
                    causes.merge(cause, outcome.count, Long::sum);
                }
            }
        }
        return causes;
    }
}
