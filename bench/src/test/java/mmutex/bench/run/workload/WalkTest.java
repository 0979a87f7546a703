package mmutex.bench.run.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WalkTest {
    private static final long SEED = 8391;

    @Test
    void shouldRepeatItselfForTheSameSeed() {
        assertThat(visits(new Walk(new SplittableRandom(SEED), 16), 1000))
                .isEqualTo(visits(new Walk(new SplittableRandom(SEED), 16), 1000))
                .isNotEqualTo(visits(new Walk(new SplittableRandom(SEED + 1), 16), 1000));
    }

    @Test
    void shouldVisitAllCountersOfAPageInTurn() {
        final int[] visits = visits(new Walk(new SplittableRandom(SEED), 1), 8);

        assertThat(visits).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void shouldVisitOnlyTheSlotsAndPagesItWasGiven() {
        final int[] visits = visits(new Walk(new SplittableRandom(SEED), 4, 2, 3, 6), 10_000);

        assertThat(IntStream.of(visits).map(counter -> counter % 8)).allMatch(slot -> slot < 6);
        assertThat(IntStream.of(visits).map(counter -> counter / 8).distinct().boxed())
                .containsExactlyInAnyOrder(2, 5, 8, 11);
    }

    @Test
    void shouldReachEverySlotWhateverTheirNumber() {
        for (int slots = 2; slots <= 8; slots++) {
            for (int seed = 0; seed < 4; seed++) {
                final Walk walk = new Walk(new SplittableRandom(seed), 1, 0, 1, slots);

                assertThat(IntStream.of(visits(walk, slots)).distinct().count()).isEqualTo(slots);
            }
        }
    }

    private static int[] visits(final Walk walk, final int count) {
        return IntStream.range(0, count).map(i -> walk.next()).toArray();
    }
}
