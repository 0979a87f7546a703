package mmutex.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.DriverLock;
import mmutex.sync.HangGuard;
import mmutex.sync.PausingActor;
import mmutex.sync.SrcuDomain;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The sequence protocol of interval subscriptions, and list subscribers. */
@HangGuard
class NotifierStateTest {
    /** A subscription that exists in all tests, far from what they are about. */
    private static final long FAR = 0x10_0000;

    private static final long PAGE = 0x1000;

    private final NotifierState state = new NotifierState(new SrcuDomain());
    private final PausingActor actor = new PausingActor(1);
    private final PausingActor reader = new PausingActor(2);
    private final Crew crew = new Crew();
    private final RecordingCallback callback = new RecordingCallback();
    private final IntervalSubscription subscription = new IntervalSubscription(callback);
    private final RecordingCallback farCallback = new RecordingCallback();
    private final IntervalSubscription far = new IntervalSubscription(farCallback);

    @BeforeEach
    void publish() {
        state.publish(true);
        state.publish(false);
        state.insert(actor, far, FAR, FAR + PAGE - 1);
    }

    /** The three states of the table in {@link NotifierState}. */
    private enum Phase {
        /** No span runs. */
        IDLE(0, 2),
        /** A span runs that hit nobody. */
        ACTIVE_EVEN(1, 2),
        /** A span runs that hit somebody. */
        ACTIVE_ODD(1, 3);

        private final long active;
        private final long seq;

        Phase(final long active, final long seq) {
            this.active = active;
            this.seq = seq;
        }

        private boolean isOdd() {
            return (seq & 1) != 0;
        }
    }

    private void enter(final Phase phase) {
        if (phase == Phase.ACTIVE_EVEN) {
            start(5 * FAR);
        } else if (phase == Phase.ACTIVE_ODD) {
            start(FAR);
        }
        assertState(phase.active, phase.seq);
    }

    private static NotifierRange page(final long start) {
        return new NotifierRange().init(NotifierEvent.CLEAR, start, start + PAGE);
    }

    private void start(final long page) {
        assertThat(state.start(actor, page(page))).isTrue();
    }

    private void end(final long page) {
        state.end(actor, page(page));
    }

    private void insert() {
        state.insert(actor, subscription, PAGE, 2 * PAGE - 1);
    }

    private void assertState(final long active, final long seq) {
        final NotifierState.Snapshot snapshot = state.snapshot(actor);
        assertThat(snapshot.activeSpans()).isEqualTo(active);
        assertThat(snapshot.seq()).isEqualTo(seq);
        // I8, I9
        assertThat((seq & 1) == 0 || active > 0).isTrue();
        for (final long iseq : snapshot.subscriptionSeqs()) {
            assertThat(iseq & 1).as("iseq is odd").isEqualTo(1);
            assertThat(iseq).isLessThanOrEqualTo(seq);
        }
    }

    private boolean isIndexed() {
        return subscription.inIndex;
    }

    // ---- the table: state x event -----------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(Phase.class)
    void shouldCountAStartThatHitsNobody(final Phase phase) {
        insert();
        enter(phase);

        start(7 * FAR);

        assertState(phase.active + 1, phase.seq);
        assertThat(callback.calls).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void shouldMakeTheSequenceOddWithAStartThatHits(final Phase phase) {
        insert();
        enter(phase);

        start(PAGE);

        assertState(phase.active + 1, 3);
        assertThat(callback.sequences()).containsExactly(3L);
        assertThat(subscription.seq()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void shouldEndTheOnlySpan(final Phase phase) {
        enter(phase);
        if (phase == Phase.IDLE) {
            assertThatThrownBy(() -> end(PAGE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("end without start: active spans=0");
            return;
        }

        end(PAGE);

        assertState(0, phase.isOdd() ? 4 : 2);
    }

    @ParameterizedTest
    @EnumSource(value = Phase.class, names = "IDLE", mode = EnumSource.Mode.EXCLUDE)
    void shouldOnlyCountTheEndOfOneOfSeveralSpans(final Phase phase) {
        enter(phase);
        start(7 * FAR);
        insert();
        final boolean indexed = isIndexed();
        final long seq = state.snapshot(actor).seq();

        end(7 * FAR);

        assertState(1, seq);
        assertThat(isIndexed()).isEqualTo(indexed); // deferred work waits for the last end
    }

    @Test
    void shouldInsertAtOnceWhileIdle() {
        insert();

        assertThat(isIndexed()).isTrue();
        assertThat(subscription.seq()).isEqualTo(1);
        assertState(0, 2);
    }

    /** Spans that hit nobody may concern the new range: they are assumed to. */
    @Test
    void shouldInsertAtOnceButBusyWhileSpansRunThatHitNobody() {
        enter(Phase.ACTIVE_EVEN);

        insert();

        assertThat(isIndexed()).isTrue();
        assertThat(subscription.seq()).isEqualTo(3);
        assertState(1, 3);
        assertThat(state.snapshot(actor).hasDeferred()).isFalse();
        end(5 * FAR);
        assertState(0, 4);
    }

    @Test
    void shouldDeferAnInsertWhileTheSequenceIsOdd() {
        enter(Phase.ACTIVE_ODD);

        insert();

        assertThat(isIndexed()).isFalse();
        assertThat(subscription.seq()).isEqualTo(3);
        assertThat(state.snapshot(actor).hasDeferred()).isTrue();
        start(PAGE); // Q15: not in the index yet, so not called; its readers wait all the same
        assertThat(callback.calls).isEmpty();
        end(PAGE);
        end(FAR);
        assertThat(isIndexed()).isTrue();
        assertThat(state.snapshot(actor).hasDeferred()).isFalse();
        start(PAGE);
        assertThat(callback.sequences()).containsExactly(5L);
    }

    @ParameterizedTest
    @EnumSource(value = Phase.class, names = "ACTIVE_ODD", mode = EnumSource.Mode.EXCLUDE)
    void shouldRemoveAtOnceWhileTheSequenceIsEven(final Phase phase) {
        insert();
        enter(phase);

        state.remove(actor, subscription);

        assertThat(isIndexed()).isFalse();
        assertState(phase.active, phase.seq);
        assertThat(actor.pauses()).isZero();
    }

    /** CN-21, R14. */
    @Test
    void shouldWaitWithARemoveUntilTheInvalidationEnds() throws InterruptedException {
        final AtomicBoolean removed = new AtomicBoolean();
        insert();
        enter(Phase.ACTIVE_ODD);
        crew.start("remover", () -> {
            state.remove(reader, subscription);
            removed.set(true);
        });
        reader.awaitWaiting();
        start(PAGE); // it is still in the index, so it is still called
        assertThat(callback.calls).hasSize(1);
        end(PAGE);
        reader.awaitAnotherLook();
        assertThat(removed).isFalse();
        assertThat(isIndexed()).isTrue();

        end(FAR);

        crew.join();
        assertThat(isIndexed()).isFalse();
        start(PAGE);
        assertThat(callback.calls).hasSize(1);
        assertThat(state.snapshot(actor).hasDeferred()).isFalse();
    }

    @Test
    void shouldTakeADeferredInsertBackWithoutWaiting() {
        final IntervalSubscription other = new IntervalSubscription(new RecordingCallback());
        enter(Phase.ACTIVE_ODD);
        insert();
        state.insert(actor, other, 0, 0);

        state.remove(actor, subscription); // behind another one in the deferred list
        assertThat(actor.pauses()).isZero();
        end(FAR);

        assertThat(isIndexed()).isFalse();
        assertThat(other.inIndex).isTrue();
        start(PAGE);
        assertThat(callback.calls).isEmpty();
    }

    @Test
    void shouldInsertASubscriptionAgainAfterItsRemoval() {
        for (int i = 0; i < 3; i++) {
            state.insert(actor, subscription, (i + 1) * PAGE, (i + 2) * PAGE - 1);
            start((i + 1) * PAGE);
            end((i + 1) * PAGE);
            state.remove(actor, subscription);
        }

        assertThat(callback.calls.stream().map(RecordingCallback.Call::start))
                .containsExactly(PAGE, 2 * PAGE, 3 * PAGE);
    }

    // ---- who is called, when, with what ------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x2000, 0",
        "0x1000, 0x2001, 1",
        "0x2000, 0x3000, 1",
        "0x2fff, 0x3000, 1",
        "0x3000, 0x4000, 0",
        "0, 0x7fffffffffffffff, 1"
    })
    void shouldCallExactlyTheOverlapping(final String start, final String end, final int calls) {
        state.insert(actor, subscription, 0x2000, 0x2fff);
        final NotifierRange range = new NotifierRange();

        range.init(NotifierEvent.UNMAP, Long.decode(start), Long.decode(end));
        state.start(actor, range);

        assertThat(callback.calls).hasSize(calls);
    }

    @Test
    void shouldHandTheRangeToTheCallback() {
        insert();
        final NotifierRange range = new NotifierRange();
        range.init(NotifierEvent.EXCLUSIVE, PAGE, 2 * PAGE, 9);

        state.start(actor, range);

        assertThat(callback.calls)
                .containsExactly(new RecordingCallback.Call(NotifierEvent.EXCLUSIVE, PAGE, 2 * PAGE, 9, true, 3));
    }

    /** I12. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldCallEveryOverlappingSubscriptionOncePerStart(final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final List<RecordingCallback> callbacks = new ArrayList<>();
        final List<IntervalSubscription> subscriptions = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            final long first = random.nextLong(1_000);
            callbacks.add(new RecordingCallback());
            subscriptions.add(new IntervalSubscription(callbacks.get(i)));
            state.insert(actor, subscriptions.get(i), first, first + random.nextLong(60));
        }
        final NotifierRange range = new NotifierRange();
        for (int step = 0; step < 300; step++) {
            final long first = random.nextLong(1_050);
            range.init(NotifierEvent.CLEAR, first, first + 1 + random.nextLong(40));
            state.start(actor, range);
            for (int i = 0; i < subscriptions.size(); i++) {
                final boolean overlaps =
                        subscriptions.get(i).start < range.end() && subscriptions.get(i).last >= range.start();
                assertThat(callbacks.get(i).calls)
                        .as("seed=%d, step=%d, subscription=%d", seed, step, i)
                        .hasSize(overlaps ? 1 : 0);
                callbacks.get(i).calls.clear();
            }
            state.end(actor, range);
        }
        assertThat(state.snapshot(actor).activeSpans()).isZero(); // I11
    }

    @Test
    void shouldShareOneOddValueBetweenOverlappingInvalidations() {
        insert();
        start(PAGE);
        start(FAR);
        start(PAGE);
        end(PAGE);
        start(PAGE);

        assertThat(callback.sequences()).containsExactly(3L, 3L, 3L);
        assertThat(farCallback.sequences()).containsExactly(3L);
        end(PAGE);
        end(PAGE);
        end(FAR);
        start(PAGE);
        assertThat(callback.sequences()).endsWith(5L);
    }

    /** Also by spans of unrelated ranges (Q2). */
    @Test
    void shouldKeepTheSequenceOddUntilEverySpanHasEnded() {
        insert();
        start(PAGE);
        start(7 * FAR);
        end(PAGE);

        assertState(1, 3);
        end(7 * FAR);
        assertState(0, 4);
    }

    /** I10: while a callback runs the sequence is odd, so nobody changes the index. */
    @Test
    void shouldRunCallbacksWithTheSequenceOdd() {
        final List<Long> seen = new ArrayList<>();
        callback.during = () -> {
            seen.add(state.snapshot(actor).seq());
            state.insert(actor, new IntervalSubscription(new RecordingCallback()), 0, 0);
            assertThat(state.snapshot(actor).hasDeferred()).isTrue();
        };
        insert();
        start(PAGE);

        assertThat(seen).containsExactly(3L);
    }

    @Test
    void shouldCostNothingBeforeAnybodySubscribes() {
        final NotifierState silent = new NotifierState(new SrcuDomain());

        assertThat(silent.start(actor, page(0))).isTrue();
        silent.end(actor, page(0));
        silent.end(actor, page(0)); // not even counted

        assertThat(silent.snapshot(actor).activeSpans()).isZero();
        assertThat(silent.needsPublishForIntervals()).isTrue();
        assertThat(silent.needsPublishForList()).isTrue();
        silent.publish(true);
        assertThat(silent.needsPublishForIntervals()).isFalse();
        assertThat(silent.needsPublishForList()).isTrue();
        silent.publish(false);
        assertThat(silent.needsPublishForIntervals()).isFalse();
        assertThat(silent.needsPublishForList()).isFalse();
    }

    // ---- readers ------------------------------------------------------------------------------------------------

    @Test
    void shouldLetAReaderPassWhileNothingHitsIt() {
        insert();

        final long sample = subscription.readBegin(actor);

        assertThat(actor.pauses()).isZero();
        assertThat(subscription.readRetry(sample)).isFalse();
        assertThat(subscription.checkRetry(sample)).isFalse();
        start(FAR);
        assertThat(subscription.readRetry(sample)).isFalse();
        assertThat(subscription.readBegin(actor)).isEqualTo(sample);
    }

    @Test
    void shouldMakeAReaderRetryThatBeganBeforeAnInvalidation() {
        insert();
        final long sample = subscription.readBegin(actor);
        start(PAGE);
        end(PAGE);

        assertThat(subscription.readRetry(sample)).isTrue();
        assertThat(subscription.checkRetry(sample)).isTrue();
        final long next = subscription.readBegin(actor);
        assertThat(subscription.readRetry(next)).isFalse();
    }

    @Test
    void shouldHoldAReaderWhileAnInvalidationRunsThatHitIt() throws InterruptedException {
        insert();
        start(PAGE);
        final AtomicLong sample = begin();
        assertThat(sample).hasValue(0);
        end(PAGE);

        crew.join();
        assertThat(subscription.readRetry(sample.get())).isFalse();
    }

    /** CN-20, R13. */
    @Test
    void shouldHoldTheReaderOfASubscriptionInsertedDuringAnInvalidation() throws InterruptedException {
        enter(Phase.ACTIVE_ODD);
        insert();
        final AtomicLong sample = begin();
        assertThat(sample).hasValue(0);
        assertThat(isIndexed()).isFalse();
        end(FAR);

        crew.join();
        assertThat(isIndexed()).isTrue();
        assertThat(subscription.readRetry(sample.get())).isFalse();
    }

    /** The value is stale if the page is hit again before the reader asks; that is what readRetry is for. */
    @Test
    void shouldReturnASampleThatANextInvalidationMakesStale() throws InterruptedException {
        insert();
        start(PAGE);
        final AtomicLong sample = begin();
        end(PAGE);
        crew.join();
        start(PAGE);

        assertThat(subscription.readRetry(sample.get())).isTrue();
    }

    /** Starts a reader and returns once it waits. */
    private AtomicLong begin() {
        final AtomicLong sample = new AtomicLong();
        crew.start("reader", () -> sample.set(subscription.readBegin(reader)));
        reader.awaitWaiting();
        reader.awaitAnotherLook();
        return sample;
    }

    /** Filtering means: this invalidation does not concern me. */
    @Test
    void shouldNotConcernAReaderWhoseCallbackFilters() {
        callback.filters = true;
        insert();
        final long sample = subscription.readBegin(actor);
        start(PAGE);

        assertThat(callback.calls).hasSize(1);
        assertThat(subscription.readRetry(sample)).isFalse();
        assertThat(subscription.readBegin(actor)).isEqualTo(sample);
        assertThat(actor.pauses()).isZero();
    }

    // ---- refusals -----------------------------------------------------------------------------------------------

    @Test
    void shouldUndoANonBlockableStartThatWasRefused() {
        insert();
        callback.refuses = true;

        assertThat(state.start(actor, page(PAGE).nonBlockable())).isFalse();

        assertThat(callback.calls).hasSize(1);
        assertState(0, 4);
        final long sample = subscription.readBegin(actor);
        assertThat(subscription.readRetry(sample)).isFalse();
        callback.refuses = false;
        assertThat(state.start(actor, page(PAGE).nonBlockable())).isTrue();
        assertState(1, 5);
    }

    @Test
    void shouldUndoARefusedStartAmongOthers() {
        insert();
        callback.refuses = true;
        enter(Phase.ACTIVE_ODD);

        assertThat(state.start(actor, page(PAGE).nonBlockable())).isFalse();

        assertState(1, 3);
        end(FAR);
        assertState(0, 4);
    }

    @Test
    void shouldNotTellListSubscribersOfARefusedStart() {
        final Subscriber list = subscribe();
        insert();
        callback.refuses = true;

        state.start(actor, page(PAGE).nonBlockable());

        assertThat(list.log).isEmpty();
    }

    @Test
    void shouldReportACallbackThatRefusesABlockableRange() {
        insert();
        callback.refuses = true;

        assertThatThrownBy(() -> state.start(actor, page(PAGE)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a callback refused a blockable range: CLEAR [0x1000, 0x2000) owner=0");
    }

    // ---- list subscribers ---------------------------------------------------------------------------------------

    /** A list subscriber that remembers its calls, and the sequence at each. */
    private final class Subscriber implements NotifierSubscriber {
        private final List<String> log = new ArrayList<>();
        private boolean refuses;

        @Override
        public boolean invalidateStart(final Actor caller, final NotifierRange range) {
            log.add("start " + range.event() + " " + state.snapshot(actor).seq());
            return !refuses;
        }

        @Override
        public void invalidateEnd(final Actor caller, final NotifierRange range) {
            log.add("end " + range.event() + " " + state.snapshot(actor).seq());
        }

        @Override
        public void release(final Actor caller) {
            log.add("release");
        }
    }

    private Subscriber subscribe() {
        final Subscriber subscriber = new Subscriber();
        state.add(actor, subscriber);
        return subscriber;
    }

    @Test
    void shouldTellListSubscribersOfEverySpan() {
        final Subscriber list = subscribe();

        start(7 * FAR);
        end(7 * FAR);

        assertThat(list.log).containsExactly("start CLEAR 2", "end CLEAR 2");
    }

    /** At start: intervals, then list; at end: the sequence moves, then list. */
    @Test
    void shouldServeIntervalsBeforeTheList() {
        final Subscriber list = subscribe();
        final List<Integer> listCallsSeen = new ArrayList<>();
        callback.during = () -> listCallsSeen.add(list.log.size());
        insert();

        start(PAGE);
        end(PAGE);

        assertThat(listCallsSeen).containsExactly(0);
        assertThat(list.log).containsExactly("start CLEAR 3", "end CLEAR 4");
    }

    @Test
    void shouldRunAllListStartsAndTheEndsEvenIfOneRefuses() {
        final Subscriber first = subscribe();
        final Subscriber second = subscribe();
        final Subscriber third = subscribe();
        second.refuses = true;

        assertThat(state.start(actor, page(PAGE).nonBlockable())).isFalse();

        assertThat(first.log).containsExactly("start CLEAR 2", "end CLEAR 2");
        assertThat(second.log).hasSize(2);
        assertThat(third.log).containsExactly("start CLEAR 2", "end CLEAR 2");
    }

    /** The kernel forgets to (Q3), and its later readers hang. */
    @Test
    void shouldCloseTheIntervalSpanWhenTheListRefuses() {
        final Subscriber list = subscribe();
        list.refuses = true;
        insert();

        assertThat(state.start(actor, page(PAGE).nonBlockable())).isFalse();

        assertState(0, 4);
        assertThat(subscription.readRetry(subscription.readBegin(actor))).isFalse();
    }

    @Test
    void shouldReportASubscriberThatRefusesABlockableRange() {
        final Subscriber list = subscribe();
        list.refuses = true;

        assertThatThrownBy(() -> start(PAGE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a subscriber refused a blockable range: CLEAR [0x1000, 0x2000) owner=0");
    }

    @Test
    void shouldCallNobodyAfterUnregister() {
        final Subscriber first = subscribe();
        final Subscriber second = subscribe();

        state.unregister(actor, first);
        start(PAGE);

        assertThat(first.log).containsExactly("release");
        assertThat(second.log).containsExactly("start CLEAR 2");
        state.unregister(actor, first); // already out: no second release
        assertThat(first.log).containsExactly("release");
    }

    /** I24: SRCU. */
    @Test
    void shouldWaitWithUnregisterForACallbackInProgress() throws InterruptedException {
        final CountDownLatch inside = new CountDownLatch(1);
        final CountDownLatch mayLeave = new CountDownLatch(1);
        final AtomicBoolean left = new AtomicBoolean();
        final AtomicBoolean unregistered = new AtomicBoolean();
        final NotifierSubscriber slow = new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor caller, final NotifierRange range) {
                inside.countDown();
                try {
                    mayLeave.await();
                } catch (final InterruptedException e) {
                    throw new AssertionError(e);
                }
                left.set(true);
                return true;
            }
        };
        state.add(actor, slow);
        crew.start("sender", () -> start(PAGE));
        inside.await();
        crew.start("unregister", () -> {
            state.unregister(reader, slow);
            assertThat(left).isTrue();
            unregistered.set(true);
        });
        reader.awaitWaiting();
        assertThat(unregistered).isFalse();
        mayLeave.countDown();

        crew.join();
        assertThat(unregistered).isTrue();
    }

    // ---- release ------------------------------------------------------------------------------------------------

    @Test
    void shouldReleaseIntervalsThenListOnce() {
        final Subscriber list = subscribe();
        final List<Integer> listCallsSeen = new ArrayList<>();
        callback.during = () -> listCallsSeen.add(list.log.size());
        insert();

        state.release(actor, new NotifierRange());

        assertThat(listCallsSeen).containsExactly(0);
        assertThat(callback.calls)
                .containsExactly(new RecordingCallback.Call(NotifierEvent.RELEASE, 0, Long.MAX_VALUE, 0, true, 3));
        assertThat(farCallback.calls).hasSize(1);
        assertThat(list.log).containsExactly("release");
        assertThat(state.snapshot(actor).released()).isTrue();
        assertState(0, 4);

        // The last unmapping: only interval subscribers hear of it.
        start(PAGE);
        assertThat(callback.calls).hasSize(2);
        assertThat(list.log).containsExactly("release");
        end(PAGE);
        state.unregister(actor, list);
        assertThat(list.log).containsExactly("release");
    }

    // ---- three spans --------------------------------------------------------------------------------------------

    /**
     * CN-22: three spans in every order of their starts and ends (90: the 20 in which none begins behind the end of all
     * others, and the rest), some of which hit the subscription, and a reader that begins in each gap. It returns when
     * the spans that hit it, and every other one that ran meanwhile, are over; not before.
     */
    @ParameterizedTest
    @ValueSource(ints = {0b111, 0b010, 0b101})
    void shouldReleaseReadersOnlyWhenAllSpansAreOver(final int hits) throws InterruptedException {
        final List<int[]> orders = new ArrayList<>();
        permute(new int[6], 0, 0, orders);
        assertThat(orders).hasSize(90);
        insert();
        int actorId = 100;
        for (final int[] order : orders) {
            for (int gap = 0; gap <= order.length; gap++) {
                runOrder(order, gap, hits, new PausingActor(actorId++));
            }
        }
    }

    /** Steps 0 to 2 are starts, 3 to 5 the ends of the same spans. */
    private static void permute(final int[] order, final int length, final int used, final List<int[]> orders) {
        if (length == order.length) {
            orders.add(order.clone());
            return;
        }
        for (int step = 0; step < order.length; step++) {
            final boolean free = (used & 1 << step) == 0;
            if (free && (step < 3 || (used & 1 << step - 3) != 0)) {
                order[length] = step;
                permute(order, length + 1, used | 1 << step, orders);
            }
        }
    }

    private void runOrder(final int[] order, final int gap, final int hits, final PausingActor gapReader)
            throws InterruptedException {
        final Crew readers = new Crew();
        final AtomicBoolean returned = new AtomicBoolean();
        boolean waits = false;
        boolean hit = false; // by a span of the current odd period
        int active = 0;
        for (int at = 0; at <= order.length; at++) {
            if (at == gap) {
                waits = hit;
                if (!waits) {
                    subscription.readBegin(gapReader); // hangs if it waits for what did not hit it
                    assertThat(gapReader.pauses()).isZero();
                } else {
                    readers.start("reader", () -> {
                        subscription.readBegin(gapReader);
                        returned.set(true);
                    });
                    gapReader.awaitWaiting();
                }
            }
            if (at == order.length) {
                break;
            }
            final int span = order[at] % 3;
            final boolean hitsSubscription = (hits >> span & 1) != 0;
            if (order[at] < 3) {
                start(hitsSubscription ? PAGE : (7 + span) * FAR);
                active++;
                hit |= hitsSubscription;
            } else {
                if (waits && active > 1) {
                    assertThat(returned)
                            .as("order=%s, gap=%d", Arrays.toString(order), gap)
                            .isFalse();
                }
                end(hitsSubscription ? PAGE : (7 + span) * FAR);
                active--;
                if (waits && active > 0) {
                    gapReader.awaitAnotherLook();
                    assertThat(returned)
                            .as("order=%s, gap=%d", Arrays.toString(order), gap)
                            .isFalse();
                }
                if (active == 0) {
                    hit = false;
                    readers.join();
                    waits = false;
                }
            }
            assertThat(state.snapshot(actor).seq() & 1).isEqualTo(hit ? 1 : 0); // I8
        }
        assertThat(active).isZero();
    }

    // ---- concurrency --------------------------------------------------------------------------------------------

    /**
     * The whole protocol: invalidators change versions inside spans, drivers copy them to a shadow under the sequence
     * protocol. Inside a span that hit it the shadow is empty, and no copy is ever stale.
     */
    @Test
    void shouldKeepShadowsCoherent() throws InterruptedException {
        final int pages = 2;
        final int rounds = 2_000;
        final AtomicLong[] version = {new AtomicLong(), new AtomicLong()};
        final long[] shadow = {-1, -1};
        final DriverLock[] locks = {new DriverLock(1), new DriverLock(2)};
        final IntervalSubscription[] subscriptions = new IntervalSubscription[pages];
        for (int i = 0; i < pages; i++) {
            final int page = i;
            subscriptions[i] = new IntervalSubscription((caller, hit, range, sequence) -> {
                locks[page].lock(caller);
                hit.setSeq(sequence);
                shadow[page] = -1;
                locks[page].unlock(caller);
                return true;
            });
            state.insert(actor, subscriptions[i], page * PAGE, (page + 1) * PAGE - 1);
        }
        final AtomicLong programmed = new AtomicLong();
        crew.startTogether(2 * pages, number -> {
            final Actor mine = new Actor(50 + number, "actor" + number);
            final int page = number % pages;
            final NotifierRange range = new NotifierRange();
            for (int i = 0; i < rounds; i++) {
                if (number < pages) {
                    range.init(NotifierEvent.CLEAR, page * PAGE, (page + 1) * PAGE);
                    state.start(mine, range);
                    version[page].incrementAndGet();
                    locks[page].lock(mine);
                    assertThat(shadow[page]).isEqualTo(-1);
                    locks[page].unlock(mine);
                    state.end(mine, range);
                } else {
                    final long sample = subscriptions[page].readBegin(mine);
                    final long seen = version[page].get();
                    locks[page].lock(mine);
                    if (!subscriptions[page].readRetry(sample)) {
                        shadow[page] = seen;
                        assertThat(version[page].get()).isEqualTo(seen);
                        programmed.incrementAndGet();
                    }
                    locks[page].unlock(mine);
                }
            }
        });
        crew.join();

        assertThat(programmed.get()).isPositive();
        for (int page = 0; page < pages; page++) {
            assertThat(shadow[page]).isIn(-1L, version[page].get());
        }
        assertState(0, state.snapshot(actor).seq());
    }

    /** Inserts and removes during invalidations of everything: no callback after a remove has returned (I24). */
    @Test
    void shouldCallNobodyAfterARemoveHasReturned() throws InterruptedException {
        final int rounds = 1_500;
        crew.startTogether(4, number -> {
            final Actor mine = new Actor(60 + number, "actor" + number);
            if (number < 2) {
                final NotifierRange range = new NotifierRange();
                for (int i = 0; i < rounds; i++) {
                    range.init(NotifierEvent.CLEAR, 0, Long.MAX_VALUE);
                    state.start(mine, range);
                    state.end(mine, range);
                }
                return;
            }
            final AtomicBoolean subscribed = new AtomicBoolean();
            final IntervalSubscription own = new IntervalSubscription((caller, hit, range, sequence) -> {
                assertThat(subscribed).isTrue();
                hit.setSeq(sequence);
                return true;
            });
            for (int i = 0; i < rounds; i++) {
                subscribed.set(true);
                state.insert(mine, own, number * PAGE, (number + 1) * PAGE - 1);
                own.readBegin(mine);
                state.remove(mine, own);
                subscribed.set(false);
            }
        });
        crew.join();

        final NotifierState.Snapshot snapshot = state.snapshot(actor);
        assertThat(snapshot.activeSpans()).isZero();
        assertThat(snapshot.hasDeferred()).isFalse();
        assertThat(snapshot.subscriptionSeqs()).hasSize(1);
    }
}
