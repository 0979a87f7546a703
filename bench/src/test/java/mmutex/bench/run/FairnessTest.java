package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class FairnessTest {
    private static double jain(final long... operations) {
        final List<RunResult.Actor> devices = LongStream.of(operations)
                .mapToObj(count -> new RunResult.Actor("device", false, count, 0, 0, 0, Starvation.Figures.NONE))
                .toList();
        return Fairness.jain(devices, RunResult.Actor::operations);
    }

    @Test
    void shouldTellEvenFromUneven() {
        assertThat(jain(5, 5, 5)).isEqualTo(1);
        assertThat(jain(9, 0, 0)).isCloseTo(1.0 / 3, within(1e-9));
        assertThat(jain(3, 1)).isCloseTo(0.8, within(1e-9));
        assertThat(jain(0, 0)).isEqualTo(1);
        assertThat(jain(Long.MAX_VALUE / 2, Long.MAX_VALUE / 2)).isCloseTo(1, within(1e-9));
    }

    @Test
    void shouldMeasureFromTheMissToTheNextOperation() {
        final Starvation starvation = new Starvation();
        starvation.turn(100); // a miss
        starvation.turn(130); // the next operation
        starvation.turn(200);
        starvation.turn(210);
        assertThat(starvation.figures(999)).isEqualTo(new Starvation.Figures(40, 30));
        starvation.turn(1000);
        assertThat(starvation.figures(1500)).isEqualTo(new Starvation.Figures(540, 500)); // ended while it waited
    }

    @Test
    void shouldCountOnlyTheEndsOfWaits() {
        final Starvation starvation = new Starvation();
        starvation.stepped(true);
        starvation.stepped(true);
        assertThat(starvation.figures(0)).isEqualTo(Starvation.Figures.NONE);
        starvation.stepped(false);
        starvation.stepped(false); // another lane misses as well
        starvation.stepped(true);
        assertThat(starvation.figures(0).totalNs())
                .isEqualTo(starvation.figures(0).longestNs());
    }
}
