package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import mmutex.bench.anatomy.Phases;
import mmutex.bench.run.workload.Verdict;
import mmutex.cli.Environment;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class TextReportTest {
    private static final Environment ENVIRONMENT = new Environment(
            "Some CPU",
            2,
            7950,
            "Linux 6.12 amd64",
            "17.0.13 (Debian, OpenJDK)",
            List.of(),
            "0123456789ab",
            "0.1.0-SNAPSHOT");

    @Test
    void shouldAlignAHistogramsPercentiles() {
        final Histogram histogram = PathRecorder.newHistogram();
        histogram.recordValueWithCount(612, 98);
        histogram.recordValueWithCount(2410, 1);
        histogram.recordValueWithCount(204_031, 1);

        assertThat(TextReport.row("CPU fault -> restored", histogram, 1))
                .isEqualTo(" CPU fault -> restored           612        612      2 411    204 031       204 031"
                        + "           100");
    }

    @Test
    void shouldDivideABatchByItsOperations() {
        final Histogram histogram = PathRecorder.newHistogram();
        histogram.recordValue(640);

        assertThat(TextReport.row("CPU access, TLB hit", histogram, 64))
                .isEqualTo(" CPU access, TLB hit              10         10         10         10            10"
                        + "            64");
    }

    @Test
    void shouldShowDashesForWhatNeverHappened() {
        assertThat(TextReport.row("nothing", PathRecorder.newHistogram(), 1))
                .isEqualTo(" nothing                           -          -          -          -             -"
                        + "             0");
    }

    @Test
    void shouldListFewCountersAndSayOk() {
        final String text = report(verdict(2, 0, false), List.of());

        assertThat(text)
                .containsPattern(" oracle      2 000 increments expected, 2 000 found +ok\n")
                .contains("counter 1                  1 000 expected             1 000 found\n")
                .containsPattern(" invariants  27 checked 11 times and at the end, 0 violated +ok\n");
    }

    @Test
    void shouldListOnlyWrongCountersOfMany() {
        final String text = report(verdict(64, 3, false), List.of());

        assertThat(text)
                .containsPattern(" oracle      64 000 increments expected, 63 997 found: 3 LOST +FAILED\n")
                .contains("counter 0                  1 000 expected               997 found: 3 lost\n")
                .doesNotContain("counter 1 ")
                .contains("64 counters, 1 wrong\n");
    }

    @Test
    void shouldWelcomeLossesWhereTheyMustHappen() {
        assertThat(report(verdict(1, 5, true), List.of()))
                .contains("1 000 increments expected, 995 found: 5 LOST\n")
                .containsPattern("as it must: this workload skips the protocol +ok\n");
        assertThat(report(verdict(1, 0, true), List.of()))
                .containsPattern("this workload must lose some: the oracle is blind +FAILED\n");
    }

    @Test
    void shouldPrintEveryViolation() {
        assertThat(report(verdict(1, 0, false), List.of("I1: both", "I7: lost")))
                .containsPattern("27 checked 11 times and at the end, 2 violated +FAILED\n")
                .contains("             I1: both\n             I7: lost\n");
    }

    @Test
    void shouldKeepWithinAHundredColumns() {
        final String text = report(verdict(9, 9, false), List.of());

        assertThat(text.lines()).allMatch(line -> line.length() <= 100);
        assertThat(text).startsWith(" x86-64-6.12 · JDK 17.0.13 · 2 cores for 3 actors, yielding every 20 us");
    }

    private static Verdict verdict(final int counters, final long lost, final boolean mustLose) {
        final List<Verdict.Count> counts = new ArrayList<>();
        for (int i = 0; i < counters; i++) {
            final long missing = i == 0 ? lost : 0;
            counts.add(new Verdict.Count("counter " + i, 1000, 1000 - missing, missing));
        }
        return new Verdict("increments", counts, List.of(), mustLose);
    }

    private static String report(final Verdict verdict, final List<String> violations) {
        final RunResult result = new RunResult(
                new RunOptions(
                        Runs.workload("svm-counters"),
                        2,
                        1,
                        32,
                        1,
                        5,
                        8391,
                        SemanticProfile.K612,
                        Delivery.RING,
                        Protocol.INTERVAL,
                        false,
                        Long.MAX_VALUE),
                "x86-64-6.12",
                20_000,
                5_000_000_000L,
                latency(Path.RESTORE),
                latency(Path.MAKE),
                PathRecorder.newHistogram(),
                List.of(
                        RunResult.Actor.cpu("cpu0", 10_700_000_000L, 900_000_000, 900_000_000),
                        RunResult.Actor.cpu("cpu1", 10_700_000_000L, 900_000_000, 900_000_000),
                        new RunResult.Actor(
                                "device0",
                                false,
                                10_700_000_000L,
                                900_000_000,
                                900_000_000,
                                12,
                                Starvation.Figures.NONE)),
                List.of(),
                List.of(),
                1_843_977,
                verdict,
                new Referee.Outcome(27, 11, violations));
        final StringWriter text = new StringWriter();
        new TextReport(new PrintWriter(text, true)).result(result, ENVIRONMENT);
        return text.toString();
    }

    private static PathLatency latency(final Path path) {
        final Map<Phase, Histogram> phases = new EnumMap<>(Phase.class);
        Phases.of(path).forEach(phase -> phases.put(phase, histogram()));
        return new PathLatency(path, histogram(), phases, null);
    }

    private static Histogram histogram() {
        final Histogram histogram = PathRecorder.newHistogram();
        histogram.recordValueWithCount(PathRecorder.NS_MAX, 1_000_000_000);
        return histogram;
    }
}
