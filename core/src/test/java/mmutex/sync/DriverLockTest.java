package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

@HangGuard
class DriverLockTest {
    private final DriverLock lock = new DriverLock(7);
    private final PausingActor a = new PausingActor(1);
    private final PausingActor b = new PausingActor(2);
    private final Crew crew = new Crew();

    @Test
    void shouldKnowItsHolder() {
        assertThat(lock.isHeld()).isFalse();

        lock.lock(a);

        assertThat(lock.isHeld()).isTrue();
        assertThat(lock.isHeldBy(a)).isTrue();
        assertThat(lock.isHeldBy(b)).isFalse();
        lock.unlock(a);
        assertThat(lock.isHeld()).isFalse();
        assertThat(lock.isHeldBy(a)).isFalse();
    }

    @Test
    void shouldRefuseToTryAHeldLock() {
        assertThat(lock.tryLock(a)).isTrue();

        assertThat(lock.tryLock(b)).isFalse();
        assertThat(lock.tryLock(a)).isFalse();
        assertThat(lock.isHeldBy(a)).isTrue();

        lock.unlock(a);
        assertThat(lock.tryLock(b)).isTrue();
        assertThat(lock.isHeldBy(b)).isTrue();
    }

    @Test
    void shouldReportAnUnlockByAnotherActor() {
        lock.lock(a);

        assertThatThrownBy(() -> lock.unlock(b))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("unlock by another actor: owner id=1, actor=actor2");
        assertThat(lock.isHeldBy(a)).isTrue();
    }

    @Test
    void shouldReportAnUnlockWithoutLock() {
        assertThatThrownBy(() -> lock.unlock(a))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("unlock by another actor: owner id=0, actor=actor1");
    }

    @Test
    void shouldWaitForTheHolder() throws InterruptedException {
        final AtomicInteger inside = new AtomicInteger();
        lock.lock(a);
        crew.start("waiter", () -> {
            lock.lock(b);
            inside.incrementAndGet();
            lock.unlock(b);
        });
        b.awaitPauses(20);
        assertThat(inside).hasValue(0);
        lock.unlock(a);

        crew.join();
        assertThat(inside).hasValue(1);
        assertThat(lock.isHeld()).isFalse();
    }

    /** Two sleepers: the first one woken must pass the waking on. */
    @Test
    void shouldWakeEverySleeper() throws InterruptedException {
        final PausingActor c = new PausingActor(3);
        final AtomicInteger had = new AtomicInteger();
        lock.lock(a);
        for (final PausingActor sleeper : new PausingActor[] {b, c}) {
            crew.start(sleeper.name(), () -> {
                lock.lock(sleeper);
                had.incrementAndGet();
                lock.unlock(sleeper);
            });
        }
        b.awaitAsleep();
        c.awaitAsleep();
        assertThat(had).hasValue(0);
        lock.unlock(a);

        crew.join();
        assertThat(had).hasValue(2);
        assertThat(lock.isHeld()).isFalse();
    }

    @Test
    void shouldExcludeUnderContention() throws InterruptedException {
        final int threads = 6;
        final int rounds = 5_000;
        final long[] counter = new long[1];
        crew.startTogether(threads, number -> {
            final Actor actor = new Actor(number + 1, "stress" + number);
            for (int i = 0; i < rounds; i++) {
                if (i % 3 != 0 || !lock.tryLock(actor)) {
                    lock.lock(actor);
                }
                counter[0]++;
                assertThat(lock.isHeldBy(actor)).isTrue();
                lock.unlock(actor);
            }
        });
        crew.join();

        assertThat(counter[0]).isEqualTo((long) threads * rounds);
        assertThat(lock.isHeld()).isFalse();
    }
}
