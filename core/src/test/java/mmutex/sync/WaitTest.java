package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link Actor}, {@link Wait} and {@link WaitQueue}, which are one mechanism. */
@HangGuard
class WaitTest {
    private final PausingActor actor = new PausingActor(1);
    private final Actor waker = new Actor(2, "waker");
    private final Crew crew = new Crew();

    @Test
    void shouldRefuseIdsThatMeanNobody() {
        assertThatThrownBy(() -> new Actor(0, "nobody"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("actor ids are positive: id=0, name=nobody");
        assertThatThrownBy(() -> new Actor(-1, "nobody")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldShowItsName() {
        assertThat(waker).hasToString("waker");
        assertThat(waker.name()).isEqualTo("waker");
        assertThat(waker.id()).isEqualTo(2);
    }

    @Test
    void shouldMeasureNothingByDefault() {
        assertThat(waker.probe()).isSameAs(PhaseProbe.NONE);
    }

    @Test
    void shouldSpinYieldAndOnlyThenAnnounceItsSleep() {
        final Wait wait = actor.startWait(null, 0);
        for (int i = 0; i < Wait.SPINS; i++) {
            wait.pause();
        }
        assertThat(wait.isArmed()).isFalse();

        int steps = 0;
        while (!wait.isArmed()) {
            wait.pause();
            steps++;
        }
        assertThat(steps).isBetween(1, Wait.YIELDS + 1);
        assertThat(actor.isAsleep()).isTrue();

        wait.finish();
        assertThat(actor.isAsleep()).isFalse();
    }

    @Test
    void shouldFinishWaitsInReverseOrder() {
        final Wait outer = actor.startWait(null, 0);
        actor.startWait(null, 0);

        assertThatThrownBy(outer::finish)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("waits finish in reverse order: actor=actor1");
    }

    @Test
    void shouldBeReusable() {
        for (int i = 0; i < 100; i++) {
            final Wait outer = actor.startWait(null, 0);
            final Wait inner = actor.startWait(null, 0);
            inner.pause();
            inner.finish();
            outer.finish();
        }
    }

    /**
     * The sleeper's bound is 100 ms. If it were that bound, and not the waker, that ended the sleeps, the hand-overs would
     * take 40 s.
     */
    @Test
    @Timeout(value = 25, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldBeWokenByTheReleaser() throws InterruptedException {
        final int handOvers = 400;
        final WaitQueue queue = new WaitQueue();
        final AtomicInteger turn = new AtomicInteger();
        crew.start("sleeper", () -> {
            for (int i = 1; i <= handOvers; i++) {
                final Wait wait = actor.startWait(queue, 5);
                while (!wait.isArmed()) {
                    wait.pause();
                }
                while (turn.get() < i) {
                    wait.pause();
                }
                wait.finish();
            }
        });
        for (int i = 1; i <= handOvers; i++) {
            while (!actor.isAsleep()) {
                Thread.yield();
            }
            turn.set(i);
            if (i % 2 == 0) {
                queue.wake(waker, 5);
            } else {
                queue.wakeIfAny(waker, 5);
            }
            while (actor.isAsleep() && turn.get() == i && i == handOvers) {
                Thread.yield(); // the last one must be seen to wake, not only to be woken
            }
        }

        crew.join();
    }

    @Test
    void shouldServeWhileItWaits() {
        final AtomicInteger served = new AtomicInteger();
        final Actor server = new Actor(3, "server") {
            @Override
            protected boolean serveWhileWaiting() {
                return served.incrementAndGet() % 2 == 0;
            }
        };
        final Wait wait = server.startWait(null, 0);
        // Every other step serves and so does not count as waiting: no sleep is announced before both are used up.
        for (int i = 0; i < 2 * Wait.SPINS; i++) {
            wait.pause();
        }

        assertThat(served).hasValue(2 * Wait.SPINS);
        assertThat(wait.isArmed()).isFalse();
        wait.finish();
    }

    /** A spinning wait may be inside a spin lock's section: it serves nothing. */
    @Test
    void shouldNotServeWhileItSpins() {
        final Wait wait = actor.startWait(null, 0);
        for (int i = 0; i < 3 * Wait.SPINS; i++) {
            wait.pauseSpinning();
        }

        assertThat(actor.pauses()).isZero();
        assertThat(wait.isArmed()).isFalse();
        wait.finish();
    }

    /** A callback that waits inside a wait withdraws the announcement; the outer wait makes it again. */
    @Test
    void shouldAnnounceAgainAfterANestedWait() throws InterruptedException {
        final WaitQueue inner = new WaitQueue();
        final WaitQueue outer = new WaitQueue();
        final AtomicBoolean innerDone = new AtomicBoolean();
        final AtomicBoolean outerDone = new AtomicBoolean();
        final AtomicBoolean nest = new AtomicBoolean();
        final Actor nesting = new Actor(4, "nesting") {
            @Override
            protected boolean serveWhileWaiting() {
                if (!nest.compareAndSet(true, false)) {
                    return false;
                }
                final Wait wait = startWait(inner, 1);
                while (!innerDone.get()) {
                    wait.pause();
                }
                wait.finish();
                return true;
            }
        };
        crew.start("nesting", () -> {
            final Wait wait = nesting.startWait(outer, 2);
            while (!wait.isArmed()) {
                wait.pause();
            }
            nest.set(true);
            while (!outerDone.get()) {
                wait.pause();
            }
            wait.finish();
        });
        while (nest.get() || !nesting.isAsleep()) {
            Thread.yield();
        }
        innerDone.set(true);
        inner.wake(waker, 1);
        while (!nesting.isAsleep()) {
            Thread.yield();
        }
        outerDone.set(true);
        outer.wake(waker, 2);

        crew.join();
        assertThat(nesting.isAsleep()).isFalse();
    }

    @Test
    void shouldWakeNobodyOfAnEmptyQueue() {
        final WaitQueue queue = new WaitQueue();

        queue.wake(waker, 0);
        queue.wakeIfAny(waker, 0);
    }

    @Test
    void shouldTakeAFinishedWaitOffItsQueue() {
        final WaitQueue queue = new WaitQueue();
        final Wait first = actor.startWait(queue, 1);
        final PausingActor other = new PausingActor(5);
        final Wait second = other.startWait(queue, 1);
        while (!first.isArmed()) {
            first.pause();
        }
        while (!second.isArmed()) {
            second.pause();
        }
        assertThat(first.queued).isTrue();
        assertThat(second.queued).isTrue();

        first.finish(); // not the head of the queue
        assertThat(first.queued).isFalse();
        assertThat(second.queued).isTrue();
        second.finish();
        assertThat(second.queued).isFalse();
    }

    @Test
    void shouldRememberASignalUntilRevived() {
        assertThat(actor.isKilled()).isFalse();
        actor.kill();
        assertThat(actor.isKilled()).isTrue();
        actor.revive();
        assertThat(actor.isKilled()).isFalse();
    }

    /** Many sleepers and wakers on one queue and two conditions: nobody is left asleep. */
    @Test
    void shouldLoseNoWakeUp() throws InterruptedException {
        final WaitQueue queue = new WaitQueue();
        final AtomicInteger[] turns = {new AtomicInteger(), new AtomicInteger()};
        final int rounds = 300;
        crew.startTogether(4, number -> {
            final Actor mine = new Actor(20 + number, "relay" + number);
            final AtomicInteger turn = turns[number / 2];
            for (int i = number % 2; i < rounds; i += 2) {
                if (turn.get() != i) {
                    final Wait wait = mine.startWait(queue, number / 2);
                    while (turn.get() != i) {
                        wait.pause();
                    }
                    wait.finish();
                }
                turn.set(i + 1);
                queue.wakeIfAny(mine, number / 2);
            }
        });
        crew.join();

        assertThat(turns[0]).hasValue(rounds);
        assertThat(turns[1]).hasValue(rounds);
    }
}
