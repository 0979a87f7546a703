package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class PathProbeTest {
    private long now = 1000;

    @Test
    void shouldTimeAPathAndItsPhases() {
        final PathRecorder recorder = new PathRecorder(Path.RESTORE);
        final PathProbe probe = new PathProbe(recorder, () -> now);

        probe.begin(Path.RESTORE);
        markAfter(10, probe, Phase.FAULT_ENTRY);
        markAfter(20, probe, Phase.PAGE_LOCK);
        markAfter(300, probe, Phase.NOTIFY);
        markAfter(40, probe, Phase.PTE_RESTORE);
        markAfter(50, probe, Phase.NOTIFY_END);
        now += 5;
        probe.end(Path.RESTORE, true);

        assertThat(total(recorder).getMaxValue()).isEqualTo(425);
        assertThat(phase(recorder, Phase.FAULT_ENTRY).getMaxValue()).isEqualTo(10);
        assertThat(phase(recorder, Phase.NOTIFY).getMaxValue()).isEqualTo(300);
        assertThat(phase(recorder, Phase.NOTIFY_END).getMaxValue()).isEqualTo(50);
    }

    @Test
    void shouldAddUpAPhaseThatIsRepeated() {
        final PathRecorder recorder = new PathRecorder(Path.RESTORE);
        final PathProbe probe = new PathProbe(recorder, () -> now);

        probe.begin(Path.RESTORE);
        markAfter(10, probe, Phase.FAULT_ENTRY);
        markAfter(200, probe, Phase.PAGE_LOCK);
        markAfter(15, probe, Phase.FAULT_ENTRY);
        markAfter(30, probe, Phase.PAGE_LOCK);
        probe.end(Path.RESTORE, true);

        assertThat(phase(recorder, Phase.FAULT_ENTRY).getMaxValue()).isEqualTo(25);
        assertThat(phase(recorder, Phase.PAGE_LOCK).getMaxValue()).isEqualTo(230);
    }

    @Test
    void shouldCountARestoreInsideAMakeForTheMakersPhase() {
        final PathRecorder recorder = new PathRecorder(Path.MAKE);
        final PathProbe probe = new PathProbe(recorder, () -> now);

        probe.begin(Path.MAKE);
        markAfter(10, probe, Phase.BEGIN);
        markAfter(20, probe, Phase.FAULT_ENTRY);
        markAfter(30, probe, Phase.NOTIFY);
        markAfter(40, probe, Phase.NOTIFY_END);
        markAfter(50, probe, Phase.GET_PAGE);
        probe.end(Path.MAKE, true);

        assertThat(phase(recorder, Phase.GET_PAGE).getMaxValue()).isEqualTo(140);
        assertThat(total(recorder).getMaxValue()).isEqualTo(150);
    }

    @Test
    void shouldIgnoreTheOtherPathAndMarksOutsideOfAny() {
        final PathRecorder recorder = new PathRecorder(Path.MAKE);
        final PathProbe probe = new PathProbe(recorder, () -> now);

        markAfter(10, probe, Phase.GET_PAGE);
        probe.begin(Path.RESTORE);
        markAfter(10, probe, Phase.NOTIFY);
        probe.end(Path.RESTORE, true);

        assertThat(recorder.count()).isZero();
        assertThat(total(recorder).getTotalCount()).isZero();
    }

    @Test
    void shouldDropAPathThatWasNotCompleted() {
        final PathRecorder recorder = new PathRecorder(Path.RESTORE);
        final PathProbe probe = new PathProbe(recorder, () -> now);

        probe.begin(Path.RESTORE);
        markAfter(10, probe, Phase.FAULT_ENTRY);
        probe.end(Path.RESTORE, false);
        probe.begin(Path.RESTORE);
        markAfter(7, probe, Phase.FAULT_ENTRY);
        probe.end(Path.RESTORE, true);

        assertThat(recorder.count()).isEqualTo(1);
        assertThat(phase(recorder, Phase.FAULT_ENTRY).getMaxValue()).isEqualTo(7);
        assertThat(total(recorder).getMaxValue()).isEqualTo(7);
    }

    private void markAfter(final long ns, final PathProbe probe, final Phase phase) {
        now += ns;
        probe.mark(phase);
    }

    private static Histogram phase(final PathRecorder recorder, final Phase phase) {
        return recorder.phases().get(phase);
    }

    private static Histogram total(final PathRecorder recorder) {
        final Histogram total = PathRecorder.newHistogram();
        recorder.drainTo(total);
        return total;
    }
}
