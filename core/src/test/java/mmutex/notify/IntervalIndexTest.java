package mmutex.notify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IntervalIndexTest {
    private final IntervalIndex index = new IntervalIndex();

    @Test
    void shouldFindNothingWhileEmpty() {
        assertThat(index.size()).isZero();
        assertThat(index.nextOverlap(0, 0, -1)).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x1fff, false",
        "0x1000, 0x2000, true",
        "0x2000, 0x2fff, true",
        "0x2800, 0x2801, true",
        "0x2fff, 0x2fff, true",
        "0x3000, 0x3fff, false",
        "0, -1, true"
    })
    void shouldOverlapInclusively(final String start, final String last, final boolean overlaps) {
        index.insert(subscription(0x2000, 0x2fff));

        assertThat(index.nextOverlap(0, Long.decode(start), Long.decode(last))).isEqualTo(overlaps ? 0 : -1);
    }

    /** Addresses are unsigned: the last byte of the whole space is -1. */
    @Test
    void shouldCompareAddressesUnsigned() {
        index.insert(subscription(0, -1));
        index.insert(subscription(1L << 63, (1L << 63) + 10));

        assertThat(overlaps(Long.MAX_VALUE - 1, Long.MAX_VALUE)).hasSize(1);
        assertThat(overlaps(1L << 63, 1L << 63)).hasSize(2);
        assertThat(overlaps(-1, -1)).hasSize(1);
    }

    @Test
    void shouldHoldEqualIntervalsAndRemoveTheRightOne() {
        final IntervalSubscription first = subscription(5, 9);
        final IntervalSubscription second = subscription(5, 9);
        index.insert(first);
        index.insert(second);

        index.remove(first);

        assertThat(overlaps(5, 5)).containsExactly(second);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void shouldFindWhatANaiveSearchFinds(final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final List<IntervalSubscription> model = new ArrayList<>();
        for (int step = 0; step < 2_000; step++) {
            final int choice = random.nextInt(10);
            if (choice < 3 && model.size() < 60) {
                final long start = random.nextLong(1_000);
                final IntervalSubscription added = subscription(start, start + random.nextLong(100));
                index.insert(added);
                model.add(added);
            } else if (choice < 5 && !model.isEmpty()) {
                index.remove(model.remove(random.nextInt(model.size())));
            } else {
                final long start = random.nextLong(1_100);
                final long last = start + random.nextLong(50);
                final List<IntervalSubscription> expected = model.stream()
                        .filter(s -> s.start <= last && s.last >= start)
                        .toList();
                assertThat(overlaps(start, last))
                        .as("seed=%d, step=%d", seed, step)
                        .containsExactlyInAnyOrderElementsOf(expected);
            }
            assertThat(index.size()).isEqualTo(model.size());
        }
    }

    private List<IntervalSubscription> overlaps(final long start, final long last) {
        final List<IntervalSubscription> found = new ArrayList<>();
        for (int at = index.nextOverlap(0, start, last); at >= 0; at = index.nextOverlap(at + 1, start, last)) {
            found.add(index.at(at));
        }
        return found;
    }

    private static IntervalSubscription subscription(final long start, final long last) {
        final IntervalSubscription subscription = new IntervalSubscription((actor, hit, range, sequence) -> true);
        subscription.start = start;
        subscription.last = last;
        return subscription;
    }
}
