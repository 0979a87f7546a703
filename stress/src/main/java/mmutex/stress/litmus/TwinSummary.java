package mmutex.stress.litmus;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import mmutex.stress.litmus.broken.Twin;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.grading.GradingResult;
import org.openjdk.jcstress.infra.runners.TestList;

/** Which of the wrong copies showed that they are wrong, and how often. */
final class TwinSummary {
    private final List<Line> lines = new ArrayList<>();

    TwinSummary(final Collection<TestResult> results) throws ClassNotFoundException {
        final Map<String, List<TestResult>> byTest = new TreeMap<>();
        for (final TestResult result : results) {
            byTest.computeIfAbsent(result.getName(), name -> new ArrayList<>()).add(result);
        }
        for (final Map.Entry<String, List<TestResult>> test : byTest.entrySet()) {
            lines.add(new Line(test.getKey(), twin(test.getKey()), test.getValue()));
        }
    }

    /** Whether every copy that any machine shows to be wrong was caught, and none broke down. */
    boolean passed() {
        return count(Verdict.MISSED) == 0 && count(Verdict.ERROR) == 0;
    }

    boolean isEmpty() {
        return lines.isEmpty();
    }

    void print(final PrintStream out) {
        for (final Verdict verdict : Verdict.values()) {
            if (count(verdict) > 0) {
                out.printf(" %-6s %6d   %s%n", verdict, count(verdict), verdict.meaning);
            }
        }
        final int nameWidth =
                lines.stream().mapToInt(line -> line.name.length()).max().orElse(0);
        final int kindWidth = lines.stream()
                .mapToInt(line -> line.twin.shows().text().length())
                .max()
                .orElse(0);
        for (final Line line : lines) {
            out.printf(
                    "   %-6s  %-" + nameWidth + "s  %-" + kindWidth + "s  %,d of %,d   %s%n",
                    line.verdict,
                    line.name,
                    line.twin.shows().text(),
                    line.wrong,
                    line.samples,
                    String.join(", ", line.twin.breaks()));
        }
    }

    private long count(final Verdict verdict) {
        return lines.stream().filter(line -> line.verdict == verdict).count();
    }

    private static Twin twin(final String test) throws ClassNotFoundException {
        final Class<?> copy = Class.forName(TestList.getInfo(test).binaryName());
        final Twin twin = copy.getAnnotation(Twin.class);
        if (twin == null) {
            throw new IllegalStateException("a wrong copy does not say what it breaks: test=" + test);
        }
        return twin;
    }

    private enum Verdict {
        CAUGHT("caught", "showed what must never be seen"),
        UNSEEN("unseen", "did not; x86 need not show these, weaker machines may"),
        MISSED("MISSED", "did not, though every machine with two free cores does"),
        ERROR("ERROR", "broke down, see the reports");

        private final String text;
        private final String meaning;

        Verdict(final String text, final String meaning) {
            this.text = text;
            this.meaning = meaning;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static final class Line {
        private final String name;
        private final Twin twin;
        private final Verdict verdict;
        private long samples;
        private long wrong;

        Line(final String test, final Twin twin, final List<TestResult> results) {
            this.name = test.substring(Twin.class.getPackageName().length() + 1);
            this.twin = twin;
            boolean error = false;
            for (final TestResult result : results) {
                error |= result.status() != Status.NORMAL;
                if (result.status() == Status.NORMAL) {
                    error |= !result.grading().isPassed;
                    samples += result.getTotalCount();
                    wrong += wrong(result);
                }
            }
            if (error) {
                verdict = Verdict.ERROR;
            } else if (wrong > 0) {
                verdict = Verdict.CAUGHT;
            } else {
                verdict = twin.shows().isCertain() ? Verdict.MISSED : Verdict.UNSEEN;
            }
        }

        private static long wrong(final TestResult result) {
            long sum = 0;
            for (final GradingResult outcome : result.grading().gradingResults.values()) {
                if (outcome.expect == Expect.ACCEPTABLE_INTERESTING) {
                    sum += outcome.count;
                }
            }
            return sum;
        }
    }
}
