package mmutex.notify.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import mmutex.notify.IntervalCallback;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierState;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import mmutex.sync.PausingActor;
import mmutex.sync.SrcuDomain;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Counter, flags, mirrors: what came before the interval notifier. */
@HangGuard
class HmmTest {
    private static final long START = 0x4000;
    private static final long LAST = 0x5fff;

    private final Actor actor = new Actor(1, "test");
    private final PausingActor reader = new PausingActor(2);
    private final NotifierRange span = new NotifierRange();
    private final AtomicLong clock = new AtomicLong();
    private final NotifierState state = new NotifierState(new SrcuDomain());
    private final List<String> log = new ArrayList<>();
    private long own;
    private Hmm hmm;
    private HmmMirrorRange range;

    @BeforeEach
    void prepare() {
        use(false);
    }

    private void use(final boolean asCoded) {
        hmm = (Hmm) Hmm.ops(asCoded).allocate();
        range = newRange(() -> clock.addAndGet(1));
    }

    private HmmMirrorRange newRange(final LongSupplier time) {
        return new HmmMirrorRange(
                new IntervalCallback() {
                    @Override
                    public boolean invalidate(
                            final Actor caller, final RangeGuard guard, final NotifierRange hit, final long sequence) {
                        throw new AssertionError("the mirror is told, not the range");
                    }

                    @Override
                    public boolean isOwn(final NotifierRange hit) {
                        return hit.event() == NotifierEvent.EXCLUSIVE && own != 0 && hit.owner() == own;
                    }
                },
                time,
                1_000_000_000);
    }

    private boolean start(final long from, final long to) {
        return hmm.invalidateStart(actor, span.init(NotifierEvent.CLEAR, from, to));
    }

    private void end() {
        hmm.invalidateEnd(actor, span);
    }

    private void mirror(final String name, final AtomicBoolean refuses) {
        hmm.add(actor, new HmmMirror() {
            @Override
            public boolean syncCpuDevicePagetables(final Actor caller, final NotifierRange update) {
                log.add(name);
                return !refuses.get();
            }

            @Override
            public void release(final Actor caller) {
                log.add(name + " released");
            }
        });
    }

    @Test
    void shouldHitRangesThatASpanOverlapsOrTouches() {
        hmm.register(actor, range, START, LAST);
        final long sample = range.readBegin(actor);
        final long[][] misses = {{0, START - 1}, {LAST + 1, LAST + 100}, {LAST + 1, Long.MAX_VALUE}};
        for (final long[] miss : misses) {
            start(miss[0], miss[1]);
            assertThat(range.readRetry(sample)).isFalse();
            end();
        }
        final long[][] hits = {{0, START}, {START, START + 1}, {LAST, LAST + 1}, {0, Long.MAX_VALUE}};
        for (final long[] hit : hits) {
            start(hit[0], hit[1]);
            assertThat(range.checkRetry(sample)).as("[%x, %x)", hit[0], hit[1]).isTrue();
            end();
            assertThat(range.readBegin(actor)).isEqualTo(sample);
        }
    }

    /** A span that no wait has seen: the flag of 5.3 forgets it, the repaired one remembers. */
    @ParameterizedTest
    @CsvSource({"false, true", "true, false"})
    void shouldRememberASpanThatIsOver(final boolean asCoded, final boolean seen) {
        use(asCoded);
        hmm.register(actor, range, START, LAST);
        final long sample = range.readBegin(actor);
        start(START, LAST);
        assertThat(range.readRetry(sample)).isTrue();
        end();

        assertThat(range.readRetry(sample)).isEqualTo(seen);
    }

    /** All ranges, whichever span hit them, and only when no span runs at all. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldBecomeValidOnlyWhenNoSpanRuns(final boolean asCoded) throws InterruptedException {
        use(asCoded);
        range = newRange(() -> 0);
        hmm.register(actor, range, START, LAST);
        start(START, LAST);
        start(1L << 40, 2L << 40); // hits nobody, and is waited for
        final AtomicBoolean begun = new AtomicBoolean();
        final Crew crew = new Crew();
        crew.start("reader", () -> {
            range.readBegin(reader);
            begun.set(true);
        });
        reader.awaitWaiting();
        end();
        reader.awaitAnotherLook();
        assertThat(begun).isFalse();
        assertThat(hmm.activeSpans(actor)).isEqualTo(1);

        end();

        crew.join();
        assertThat(range.readRetry(HmmMirrorRange.VALID)).isFalse();
    }

    @Test
    void shouldNotWaitForSpansThatHitOthers() {
        hmm.register(actor, range, START, LAST);
        start(1L << 40, 2L << 40);

        assertThat(range.readBegin(reader)).isEqualTo(HmmMirrorRange.VALID);
        assertThat(reader.pauses()).isZero();
    }

    @Test
    void shouldBeInvalidIfRegisteredDuringASpan() {
        start(1L << 40, 2L << 40);
        hmm.register(actor, range, START, LAST);
        assertThat(range.checkRetry(HmmMirrorRange.VALID)).isTrue();
        end();
        assertThat(range.readBegin(actor)).isEqualTo(HmmMirrorRange.VALID);
    }

    @Test
    void shouldGiveUpWaitingWhenTheTimeIsOver() {
        range = newRange(() -> clock.addAndGet(400_000_000));
        hmm.register(actor, range, START, LAST);
        start(START, LAST);

        assertThat(range.readBegin(reader)).isEqualTo(RangeGuard.NO_SAMPLE);

        assertThat(reader.pauses()).isEqualTo(3); // 0.4, 0.8, 1.2 s after the first look at the clock
        end();
        assertThat(range.readBegin(reader)).isEqualTo(HmmMirrorRange.VALID);
    }

    /** A mirror of 5.3 knows no owners, so its driver's own conversion hits its own range; repaired, it asks. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAskTheDriverWhatIsHisOwn(final boolean asCoded) {
        use(asCoded);
        own = 7;
        hmm.register(actor, range, START, LAST);
        final long sample = range.readBegin(actor);

        hmm.invalidateStart(actor, span.init(NotifierEvent.EXCLUSIVE, START, LAST, 7));
        assertThat(range.readRetry(sample)).isEqualTo(asCoded);
        end();
        hmm.invalidateStart(actor, span.init(NotifierEvent.EXCLUSIVE, START, LAST, 8));
        assertThat(range.readRetry(sample)).isTrue();
        end();
    }

    @Test
    void shouldForgetRangesInAnyOrder() {
        final HmmMirrorRange[] three = {range, newRange(() -> 0), newRange(() -> 0)};
        for (final int first : new int[] {0, 1, 2}) {
            for (final HmmMirrorRange r : three) {
                hmm.register(actor, r, START, LAST);
            }
            hmm.unregister(actor, three[first]);
            assertThat(three[first].checkRetry(HmmMirrorRange.VALID)).isTrue();
            start(START, LAST);
            end();
            for (final HmmMirrorRange r : three) {
                if (r != three[first]) {
                    assertThat(r.readBegin(actor)).isEqualTo(HmmMirrorRange.VALID);
                    hmm.unregister(actor, r);
                }
            }
        }
    }

    @Test
    void shouldTellMirrorsInTheirOrderUntilTheyAreRemoved() {
        final AtomicBoolean never = new AtomicBoolean();
        mirror("a", never);
        final HmmMirror b = new HmmMirror() {
            @Override
            public boolean syncCpuDevicePagetables(final Actor caller, final NotifierRange update) {
                log.add("b");
                return true;
            }
        };
        hmm.add(actor, b);
        start(0, 1);
        end();
        hmm.remove(actor, b);
        start(0, 1);
        end();
        hmm.release(actor);
        assertThat(log).containsExactly("a", "b", "a", "a released");
    }

    /** -EAGAIN counts the span back at once; the ends that the list then sends are not for this subscriber. */
    @Test
    void shouldUndoARefusedSpan() {
        final AtomicBoolean refuses = new AtomicBoolean(true);
        mirror("refuser", refuses);
        mirror("behind", new AtomicBoolean());
        state.add(actor, hmm);
        state.publish(false);
        hmm.register(actor, range, START, LAST);
        span.init(NotifierEvent.UNMAP, START, LAST).nonBlockable();

        assertThat(state.start(actor, span)).isFalse();

        assertThat(log).containsExactly("refuser"); // the first refusal ends the walk
        assertThat(hmm.activeSpans(actor)).isZero();
        assertThat(range.readBegin(actor)).isEqualTo(HmmMirrorRange.VALID);
        refuses.set(false);
        assertThat(state.start(actor, span)).isTrue();
        assertThat(hmm.activeSpans(actor)).isEqualTo(1);
        state.end(actor, span);
        assertThat(hmm.activeSpans(actor)).isZero();
    }

    @Test
    void shouldOnlyTryTheSemaphoreForNonBlockableSpans() throws InterruptedException {
        final AtomicBoolean inside = new AtomicBoolean();
        final AtomicBoolean goOn = new AtomicBoolean();
        hmm.add(actor, (caller, update) -> {
            inside.set(true);
            while (!goOn.get()) {
                Thread.yield();
            }
            return true;
        });
        final Crew crew = new Crew();
        crew.start(
                "span",
                () -> hmm.invalidateStart(new Actor(3, "other"), new NotifierRange().init(NotifierEvent.CLEAR, 0, 1)));
        while (!inside.get()) {
            Thread.yield();
        }
        crew.start("writer", () -> hmm.add(reader, (caller, update) -> true));
        reader.awaitWaiting(); // a queued writer keeps later readers out

        assertThat(hmm.invalidateStart(
                        actor, span.init(NotifierEvent.UNMAP, 0, 1).nonBlockable()))
                .isFalse();

        goOn.set(true);
        crew.join();
        assertThat(hmm.activeSpans(actor)).isEqualTo(1);
    }

    @Test
    void shouldReportAMirrorThatRefusesABlockableSpan() {
        mirror("bad", new AtomicBoolean(true));
        state.add(actor, hmm);
        state.publish(false);

        assertThatThrownBy(() -> state.start(actor, span.init(NotifierEvent.CLEAR, 0, 1)))
                .isInstanceOf(IllegalStateException.class);
    }
}
