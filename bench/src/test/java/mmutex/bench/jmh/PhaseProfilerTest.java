package mmutex.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import mmutex.bench.anatomy.Band;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.TimestampCost;
import mmutex.sync.PhaseProbe.Path;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

class PhaseProfilerTest {
    private final PhaseProfiler profiler = new PhaseProfiler();

    @Test
    void shouldReportEachPhaseOnceItIsPublished() {
        final Band band = new Band(0, 0.9, 100, new double[] {10, 20, 30, 25, 15, 5}, 225, 6);
        profiler.beforeIteration(null, null);
        PhaseProfiler.publish(new Breakdown(Path.MAKE, new TimestampCost(20, 21), 7, 1, List.of(band), band));

        final List<? extends Result<ScalarResult>> results = List.copyOf(profiler.afterIteration(null, null, null));

        assertThat(results)
                .extracting(Result::getLabel)
                .containsExactly(
                        "phase1.begin",
                        "phase2.getPage",
                        "phase3.convert",
                        "phase4.flush",
                        "phase5.program",
                        "phase6.exit",
                        "phases.sum",
                        "phases.whole",
                        "phases.sumByWhole",
                        "phases.timestamp");
        assertThat(results.get(2).getScore()).isEqualTo(30);
        assertThat(results.get(2).getScoreUnit()).isEqualTo("ns/op");
        assertThat(results.get(8).getScore()).isCloseTo(1.05, within(1e-9));
    }

    @Test
    void shouldBeSilentForOtherBenchmarks() {
        profiler.beforeIteration(null, null);

        assertThat(profiler.afterIteration(null, null, null)).isEmpty();
    }
}
