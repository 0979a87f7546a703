package mmutex.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import mmutex.sync.PausingActor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class InvalidationRingTest {
    private static final RangeGuard NOBODY = null;

    private final PausingActor worker = new PausingActor(1);
    private final PausingActor producer = new PausingActor(2);
    private final Crew crew = new Crew();
    private final List<String> received = new ArrayList<>();
    private final AtomicReference<RangeGuard> lastSubscription = new AtomicReference<>();
    private boolean accepts = true;

    private InvalidationRing ring(final int capacity) {
        return new InvalidationRing(capacity, worker, (actor, subscription, range, sequence) -> {
            received.add(actor + " " + range + " " + sequence);
            lastSubscription.set(subscription);
            return accepts;
        });
    }

    private static NotifierRange range(final int number) {
        final NotifierRange range = new NotifierRange();
        return range.init(NotifierEvent.MIGRATE, number * 0x1000L, (number + 1) * 0x1000L, number);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 6, -4})
    void shouldRefuseACapacityThatIsNoPowerOfTwo(final int capacity) {
        assertThatThrownBy(() -> ring(capacity))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("capacity must be a power of two: capacity=" + capacity);
    }

    @Test
    void shouldHaveNothingToServeAtFirst() {
        assertThat(ring(2).serve()).isFalse();
    }

    @Test
    void shouldReturnFromDeliveryOnlyWhenHandled() throws InterruptedException {
        final InvalidationRing ring = ring(2);
        final AtomicBoolean delivered = new AtomicBoolean();
        final IntervalSubscription subscription = new IntervalSubscription((a, s, r, q) -> true);
        crew.start("producer", () -> {
            assertThat(ring.deliver(producer, subscription, range(5), 77)).isTrue();
            delivered.set(true);
        });
        producer.awaitWaiting();
        producer.awaitAnotherLook();
        assertThat(delivered).isFalse();
        assertThat(received).isEmpty();

        assertThat(ring.serve()).isTrue();

        crew.join();
        assertThat(received).containsExactly("actor1 MIGRATE [0x5000, 0x6000) owner=5 77");
        assertThat(lastSubscription).hasValue(subscription);
        assertThat(ring.serve()).isFalse();
    }

    @Test
    void shouldWakeASleepingProducer() throws InterruptedException {
        final InvalidationRing ring = ring(2);
        crew.start("producer", () -> ring.deliver(producer, NOBODY, range(1), 1));
        producer.awaitAsleep();
        ring.serve();

        crew.join();
        assertThat(lastSubscription).hasValue(null);
    }

    @Test
    void shouldPassARefusalOn() throws InterruptedException {
        final InvalidationRing ring = ring(2);
        accepts = false;
        crew.start("producer", () -> {
            assertThat(ring.deliver(producer, NOBODY, range(1).nonBlockable(), 1))
                    .isFalse();
            assertThat(ring.deliver(producer, NOBODY, range(2).nonBlockable(), 1))
                    .isTrue();
        });
        producer.awaitWaiting();
        ring.serve();
        accepts = true;
        while (!ring.serve()) {
            Thread.yield();
        }

        crew.join();
        assertThat(received.get(0)).contains("non-blockable");
    }

    @Test
    void shouldRunTheWorkersOwnInvalidationsInPlace() {
        final InvalidationRing ring = ring(1);

        assertThat(ring.deliver(worker, NOBODY, range(3), 9)).isTrue();
        accepts = false;
        assertThat(ring.deliver(worker, NOBODY, range(4).nonBlockable(), 9)).isFalse();

        assertThat(received).hasSize(2);
        assertThat(ring.serve()).isFalse();
    }

    @Test
    void shouldRefuseANonBlockableRangeWhileFullAndMakeABlockableOneWait() throws InterruptedException {
        final int capacity = 2;
        final InvalidationRing ring = ring(capacity);
        for (int i = 0; i < capacity; i++) {
            final int number = i;
            final PausingActor filler = new PausingActor(10 + i);
            crew.start("filler" + i, () -> ring.deliver(filler, NOBODY, range(number), number));
            filler.awaitWaiting();
        }

        assertThat(ring.deliver(producer, NOBODY, range(7).nonBlockable(), 7)).isFalse();
        assertThat(producer.pauses()).isZero();

        final AtomicBoolean delivered = new AtomicBoolean();
        crew.start("late", () -> {
            assertThat(ring.deliver(producer, NOBODY, range(8), 8)).isTrue();
            delivered.set(true);
        });
        producer.awaitAsleep();
        assertThat(delivered).isFalse();
        while (!delivered.get()) {
            ring.serve();
        }

        crew.join();
        assertThat(received).hasSize(3);
        assertThat(received.toString()).contains("[0x8000, 0x9000)").doesNotContain("[0x7000, 0x8000)");
        // Room again.
        crew.start("again", () -> ring.deliver(producer, NOBODY, range(9).nonBlockable(), 9));
        while (!ring.serve()) {
            Thread.yield();
        }
        crew.join();
    }

    /** A callback that waits serves the ring again; that must not run the record twice or out of order. */
    @Test
    void shouldDoNothingInANestedServe() throws InterruptedException {
        final AtomicReference<InvalidationRing> self = new AtomicReference<>();
        final List<Boolean> nested = new ArrayList<>();
        final InvalidationRing ring = new InvalidationRing(2, worker, (actor, subscription, range, sequence) -> {
            nested.add(self.get().serve());
            return true;
        });
        self.set(ring);
        crew.start("producer", () -> ring.deliver(producer, NOBODY, range(1), 1));
        producer.awaitWaiting();
        ring.serve();

        crew.join();
        assertThat(nested).containsExactly(false);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8})
    void shouldLoseNothingAndRepeatNothing(final int capacity) throws InterruptedException {
        final int producers = 4;
        final int each = 1_500;
        final AtomicIntegerArray seen = new AtomicIntegerArray(producers * each);
        final AtomicInteger sum = new AtomicInteger();
        final AtomicBoolean inside = new AtomicBoolean();
        final InvalidationRing ring = new InvalidationRing(capacity, worker, (actor, hit, range, sequence) -> {
            assertThat(inside.getAndSet(true)).isFalse();
            assertThat(range.start()).isEqualTo(sequence * 0x1000);
            assertThat(range.owner()).isEqualTo(sequence);
            seen.incrementAndGet((int) sequence);
            sum.incrementAndGet();
            inside.set(false);
            return sequence % 2 == 0;
        });
        crew.startTogether(producers + 1, number -> {
            if (number == producers) {
                while (sum.get() < producers * each) {
                    if (!ring.serve()) {
                        Thread.yield();
                    }
                }
                return;
            }
            final Actor mine = new Actor(20 + number, "producer" + number);
            for (int i = 0; i < each; i++) {
                final int sequence = number * each + i;
                // The acknowledgement is the own record's, not a neighbour's.
                assertThat(ring.deliver(mine, NOBODY, range(sequence), sequence))
                        .isEqualTo(sequence % 2 == 0);
                assertThat(seen.get(sequence)).isEqualTo(1);
            }
        });
        crew.join();

        assertThat(sum).hasValue(producers * each);
    }

    @Test
    void shouldServeWhatIsThereWhenClosed() throws InterruptedException {
        final InvalidationRing ring = ring(2);
        crew.start("producer", () -> ring.deliver(producer, NOBODY, range(1), 1));
        producer.awaitAsleep();

        ring.close();

        crew.join();
        assertThat(received).containsExactly("actor1 MIGRATE [0x1000, 0x2000) owner=1 1");
    }

    @Test
    void shouldLetProducersServeThemselvesOnceClosed() {
        final InvalidationRing ring = ring(2);
        ring.close();

        for (int i = 0; i < 5; i++) {
            assertThat(ring.deliver(producer, NOBODY, range(i), i)).isTrue();
        }
        assertThat(received).hasSize(5).allMatch(line -> line.startsWith("actor2 "));
        assertThat(ring.serve()).isFalse();
    }

    /** Producers race with the close: whoever finds the worker gone does the work himself, one at a time. */
    @Test
    void shouldLoseNothingWhenClosedUnderLoad() throws InterruptedException {
        final int producers = 3;
        final int each = 2_000;
        final AtomicIntegerArray seen = new AtomicIntegerArray(producers * each);
        final AtomicInteger sum = new AtomicInteger();
        final AtomicBoolean inside = new AtomicBoolean();
        final InvalidationRing ring = new InvalidationRing(2, worker, (actor, hit, range, sequence) -> {
            assertThat(inside.getAndSet(true)).isFalse();
            seen.incrementAndGet((int) sequence);
            sum.incrementAndGet();
            inside.set(false);
            return true;
        });
        crew.startTogether(producers + 1, number -> {
            if (number == producers) {
                while (sum.get() < producers * each / 2) {
                    ring.serve();
                }
                ring.close();
                return;
            }
            final Actor mine = new Actor(20 + number, "producer" + number);
            for (int i = 0; i < each; i++) {
                ring.deliver(mine, NOBODY, range(i), (long) number * each + i);
                assertThat(seen.get(number * each + i)).isEqualTo(1);
            }
        });
        crew.join();

        assertThat(sum).hasValue(producers * each);
    }

    /** Two devices that revoke each other at the same time: each serves its own ring while it waits for the other. */
    @Test
    void shouldNotDeadlockWhenTwoWorkersDeliverToEachOther() throws InterruptedException {
        final int rounds = 500;
        final InvalidationRing[] rings = new InvalidationRing[2];
        final AtomicInteger[] handled = {new AtomicInteger(), new AtomicInteger()};
        final Actor[] workers = new Actor[2];
        for (int i = 0; i < 2; i++) {
            final int number = i;
            workers[i] = new Actor(30 + i, "worker" + i) {
                @Override
                protected boolean serveWhileWaiting() {
                    return rings[number].serve();
                }
            };
            rings[i] = new InvalidationRing(1, workers[i], (actor, hit, range, sequence) -> {
                handled[number].incrementAndGet();
                return true;
            });
        }
        crew.startTogether(2, number -> {
            final int other = 1 - number;
            for (int i = 0; i < rounds; i++) {
                assertThat(rings[other].deliver(workers[number], NOBODY, range(i), i))
                        .isTrue();
            }
            while (handled[number].get() < rounds) {
                rings[number].serve();
            }
        });
        crew.join();

        assertThat(handled[0]).hasValue(rounds);
        assertThat(handled[1]).hasValue(rounds);
    }
}
