package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import mmutex.bench.anatomy.Band;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.TimestampCost;
import mmutex.sync.PhaseProbe.Path;
import org.junit.jupiter.api.Test;

class PhaseReportTest {
    private static final TimestampCost COST = new TimestampCost(21.4, 23.6);

    @Test
    void shouldShowPhasesTheirSumAndItsDistance() {
        final String text = report(new Breakdown(
                Path.RESTORE,
                COST,
                7000,
                1000,
                List.of(
                        band(0, 0.5, 200, 1),
                        band(0.5, 0.9, 400, 2),
                        band(0.9, 0.99, 2000, 10),
                        band(0.99, 1, 5e9, 1e7)),
                band(0, 0.9, 300, 1.5)));

        assertThat(text)
                .contains(
                        " phases, mean ns          fastest 50 %    50-90 %    90-99 %  slowest 1 % fastest 90 %    share\n")
                .containsPattern(" CPU fault -> restored +200 +400 +2 000 +5.00 s +300\n")
                .containsPattern("   notify -> acknowledged +100 +200 +1 000 +1.00 s +150 +47.6 %\n")
                .containsPattern("   exit +5 +10 +50 +50 000 000 +8 +2.4 %\n")
                .containsPattern("   sum of the phases +210 +420 +2 100 +2.10 s +315\n")
                .containsPattern("   the sum is off by +\\+5.0 % +\\+5.0 % +\\+5.0 % +-58.0 % +\\+5.0 %\n")
                .contains("1 run of 8 was timed phase by phase (1 000), the others as a whole (7 000).")
                .contains("A time stamp costs 21.4 ns (23.6 around a whole) and is taken off.", "had 6.0 of them")
                .contains("128 ns, 43 % of the whole; their sum was 443 ns with them.")
                .doesNotContain("OFF");
        assertThat(text.lines()).allMatch(line -> line.length() <= 100);
    }

    @Test
    void shouldSayWhenTheSumIsFarOff() {
        final Band off = band(0, 0.9, 280, 1.5);

        assertThat(report(new Breakdown(Path.RESTORE, COST, 7, 1, List.of(off, off, off, off), off)))
                .contains("MORE THAN 10 % OFF: too few runs, or too much else on this machine.");
    }

    @Test
    void shouldSayWhenThereIsNothingToTakeApart() {
        final Band none = band(0, 0.9, Double.NaN, Double.NaN);

        assertThat(report(new Breakdown(Path.RESTORE, COST, 7, 0, List.of(none, none, none, none), none)))
                .isEqualTo(" CPU fault -> restored: too few runs to take apart\n\n");
    }

    /** Phases of 210 ns, and as many time stamps as a restore has. */
    private static Band band(final double from, final double to, final double wholeNs, final double factor) {
        final double[] phases = {50, 20, 100, 25, 10, 5};
        for (int i = 0; i < phases.length; i++) {
            phases[i] *= factor;
        }
        return new Band(from, to, wholeNs, phases, 210 * factor + 6 * COST.markNs(), 6);
    }

    private static String report(final Breakdown breakdown) {
        final StringWriter text = new StringWriter();
        new PhaseReport(new PrintWriter(text, true)).path("CPU fault -> restored", breakdown);
        return text.toString();
    }
}
