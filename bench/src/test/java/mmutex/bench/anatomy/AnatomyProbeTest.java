package mmutex.bench.anatomy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import org.junit.jupiter.api.Test;

/** The arithmetic, on a clock whose reading takes time itself. */
class AnatomyProbeTest {
    private static final long SEED = 8391;
    private static final long READING_NS = 25;
    private static final long[] RESTORE = {40, 10, 300, 7, 20, 3};
    private static final long WHOLE = 380;

    private long now = 1_000_000;

    /** Half of the time before the clock is read, half behind. */
    private final LongSupplier clock = () -> {
        now += READING_NS / 2;
        final long read = now;
        now += READING_NS - READING_NS / 2;
        return read;
    };

    private final TimestampCost cost = new TimestampCost(READING_NS, READING_NS);

    @Test
    void shouldMeasureWhatATimeStampCosts() {
        assertThat(TimestampCost.measure(clock)).isEqualTo(cost);
    }

    @Test
    void shouldFindPhasesThatAddUpToTheWholeWhateverTheClockCosts() {
        final Anatomy anatomy = new Anatomy(Path.RESTORE);
        final AnatomyProbe probe = probe(anatomy);
        for (int i = 0; i < 1000; i++) {
            restore(probe, RESTORE);
        }

        final Breakdown breakdown = Breakdown.of(anatomy, cost);

        assertThat(breakdown.wholes() + breakdown.dissected()).isEqualTo(1000);
        assertThat(breakdown.dissected()).as("seed %d", SEED).isBetween(80L, 170L);
        for (final Band band : allBands(breakdown)) {
            assertThat(band.wholeNs()).isCloseTo(WHOLE, within(1e-6));
            assertThat(band.phasesNs()).containsExactly(new double[] {40, 10, 300, 7, 20, 3}, within(1e-6));
            assertThat(band.sumNs()).isCloseTo(WHOLE, within(1e-6));
            assertThat(band.distance()).isCloseTo(0, within(1e-9));
            assertThat(band.intervals()).isCloseTo(6, within(1e-9));
            assertThat(band.rawNs()).isCloseTo(WHOLE + 6 * READING_NS, within(1e-6));
            assertThat(band.overhead()).isCloseTo(6.0 * READING_NS / WHOLE, within(1e-9));
        }
    }

    @Test
    void shouldShowHowFarTheSumIsOffIfTheCostIsWrong() {
        final Anatomy anatomy = new Anatomy(Path.RESTORE);
        final AnatomyProbe probe = probe(anatomy);
        for (int i = 0; i < 1000; i++) {
            restore(probe, RESTORE);
        }

        final Band band = Breakdown.of(anatomy, new TimestampCost(READING_NS - 10, READING_NS))
                .most();

        assertThat(band.distance()).isCloseTo(60.0 / WHOLE, within(1e-9));
    }

    @Test
    void shouldStayWithinATenthWherePathsDifferWildly() {
        final Random random = new Random(SEED);
        final Anatomy anatomy = new Anatomy(Path.RESTORE);
        final AnatomyProbe probe = probe(anatomy);
        for (int i = 0; i < 100_000; i++) {
            // Mostly quick, some wait for somebody, a few for a core.
            final double lot = random.nextDouble();
            final long wait = lot < 0.6 ? 0 : lot < 0.995 ? random.nextInt(20_000) : random.nextInt(5_000_000);
            restore(probe, 40, 10 + wait / 3, 300 + wait, 7, 20, 3);
        }

        final Breakdown breakdown = Breakdown.of(anatomy, cost);

        assertThat(Math.abs(breakdown.most().distance())).as("seed %d", SEED).isLessThan(0.1);
        assertThat(Math.abs(breakdown.bands().get(0).distance())).isLessThan(0.01);
        assertThat(breakdown.bands().get(0).phasesNs()[2]).isCloseTo(300, within(1.0));
        // The slow ones are slow for another reason than the fast ones.
        final Band slowest = breakdown.bands().get(3);
        assertThat(slowest.phasesNs()[2] / slowest.sumNs()).isBetween(0.7, 0.8);
    }

    @Test
    void shouldTakeACostOffForEachTimeAPhaseIsRepeated() {
        final List<long[]> heard = new ArrayList<>();
        final AnatomyProbe probe = listening(Path.RESTORE, heard);

        probe.begin(Path.RESTORE);
        after(10, probe, Phase.FAULT_ENTRY);
        after(200, probe, Phase.PAGE_LOCK);
        after(15, probe, Phase.FAULT_ENTRY);
        after(30, probe, Phase.PAGE_LOCK);
        now += 5;
        probe.end(Path.RESTORE, true);

        assertThat(heard).containsExactly(new long[] {260, 25, 230, 0, 0, 0, 5});
    }

    @Test
    void shouldCountARestoreInsideAMakeForTheMakersPhase() {
        final List<long[]> heard = new ArrayList<>();
        final AnatomyProbe probe = listening(Path.MAKE, heard);

        after(7, probe, Phase.GET_PAGE);
        probe.end(Path.MAKE, true);
        probe.begin(Path.MAKE);
        after(10, probe, Phase.BEGIN);
        after(20, probe, Phase.FAULT_ENTRY);
        after(30, probe, Phase.NOTIFY_END);
        after(50, probe, Phase.GET_PAGE);
        probe.end(Path.RESTORE, true);
        probe.end(Path.MAKE, true);

        assertThat(heard).containsExactly(new long[] {110, 10, 100, 0, 0, 0, 0});
    }

    @Test
    void shouldDropAPathThatWasNotCompleted() {
        final List<long[]> heard = new ArrayList<>();
        final AnatomyProbe probe = listening(Path.RESTORE, heard);

        probe.begin(Path.RESTORE);
        after(10, probe, Phase.FAULT_ENTRY);
        probe.end(Path.RESTORE, false);
        probe.begin(Path.RESTORE);
        after(7, probe, Phase.FAULT_ENTRY);
        probe.end(Path.RESTORE, true);

        assertThat(heard).containsExactly(new long[] {7, 7, 0, 0, 0, 0, 0});
    }

    @Test
    void shouldAddUpActorsButNotPaths() {
        final Anatomy one = new Anatomy(Path.RESTORE);
        final Anatomy other = new Anatomy(Path.RESTORE);
        final AnatomyProbe probe = probe(one);
        final AnatomyProbe otherProbe = probe(other);
        for (int i = 0; i < 500; i++) {
            restore(probe, RESTORE);
            restore(otherProbe, RESTORE);
        }

        one.add(other);

        assertThat(one.wholes() + one.dissected()).isEqualTo(1000);
        assertThat(Breakdown.of(one, cost).most().sumNs()).isCloseTo(WHOLE, within(1e-6));
        assertThatThrownBy(() -> one.add(new Anatomy(Path.MAKE))).isInstanceOf(IllegalArgumentException.class);
        one.reset();
        assertThat(Breakdown.of(one, cost).isKnown()).isFalse();
    }

    @Test
    void shouldRankEachKindByItself() {
        final Anatomy anatomy = new Anatomy(Path.RESTORE);
        final AnatomyProbe probe = probe(anatomy);
        for (int i = 1; i <= 10_000; i++) {
            restore(probe, i % 100, 0, 1000 * (i % 100), 0, 0, 0);
        }

        final Breakdown breakdown = Breakdown.of(anatomy, cost);

        // 0 to 99 times 1001: the fastest half has a mean of 24.5 of them, all but a tenth one of 44.5.
        assertThat(breakdown.bands().get(0).wholeNs()).isCloseTo(24_524, within(500.0));
        assertThat(breakdown.most().wholeNs()).isCloseTo(44_544, within(500.0));
        assertThat(Math.abs(breakdown.most().distance())).as("seed %d", SEED).isLessThan(0.1);
    }

    private static List<Band> allBands(final Breakdown breakdown) {
        final List<Band> bands = new ArrayList<>(breakdown.bands());
        bands.add(breakdown.most());
        return bands;
    }

    private AnatomyProbe probe(final Anatomy anatomy) {
        return new AnatomyProbe(anatomy, AnatomyProbe.Listener.NONE, cost, clock, AnatomyProbe.ONE_IN, SEED);
    }

    /** Always phase by phase; the total first, then the phases. */
    private AnatomyProbe listening(final Path path, final List<long[]> heard) {
        final AnatomyProbe.Listener listener = new AnatomyProbe.Listener() {
            @Override
            public void whole(final long ns) {
                throw new AssertionError("timed as a whole");
            }

            @Override
            public void parts(final long ns, final long[] phases) {
                final long[] all = new long[phases.length + 1];
                all[0] = ns;
                System.arraycopy(phases, 0, all, 1, phases.length);
                heard.add(all);
            }
        };
        return new AnatomyProbe(new Anatomy(path), listener, cost, clock, AnatomyProbe.ALWAYS, SEED);
    }

    private void restore(final AnatomyProbe probe, final long... ns) {
        probe.begin(Path.RESTORE);
        after(ns[0], probe, Phase.FAULT_ENTRY);
        after(ns[1], probe, Phase.PAGE_LOCK);
        after(ns[2], probe, Phase.NOTIFY);
        after(ns[3], probe, Phase.PTE_RESTORE);
        after(ns[4], probe, Phase.NOTIFY_END);
        now += ns[5];
        probe.end(Path.RESTORE, true);
    }

    private void after(final long ns, final AnatomyProbe probe, final Phase phase) {
        now += ns;
        probe.mark(phase);
    }
}
