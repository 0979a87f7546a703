package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

@HangGuard
class SpinLockTest {
    private final SpinLock lock = new SpinLock(LockClass.SQ);
    private final Actor a = new Actor(1, "a");
    private final Actor b = new Actor(2, "b");
    private final Crew crew = new Crew();

    @Test
    void shouldKnowWhetherItIsHeld() {
        assertThat(lock.isHeld()).isFalse();
        lock.lock(a);
        assertThat(lock.isHeld()).isTrue();
        lock.unlock(a);
        assertThat(lock.isHeld()).isFalse();
    }

    @Test
    void shouldWaitForTheHolder() throws InterruptedException {
        final AtomicBoolean released = new AtomicBoolean();
        final CountDownLatch coming = new CountDownLatch(1);
        lock.lock(a);
        crew.start("waiter", () -> {
            coming.countDown();
            lock.lock(b);
            assertThat(released).isTrue();
            lock.unlock(b);
        });
        coming.await();
        for (int i = 0; i < 1_000; i++) {
            Thread.yield(); // gives the waiter every chance to pass a lock that doesn't hold
        }
        released.set(true);
        lock.unlock(a);

        crew.join();
    }

    @Test
    void shouldExcludeUnderContention() throws InterruptedException {
        final int threads = 6;
        final int rounds = 10_000;
        final long[] counter = new long[1];
        crew.startTogether(threads, number -> {
            final Actor actor = new Actor(number + 1, "stress" + number);
            for (int i = 0; i < rounds; i++) {
                lock.lock(actor);
                counter[0]++;
                lock.unlock(actor);
            }
        });
        crew.join();

        assertThat(counter[0]).isEqualTo((long) threads * rounds);
    }
}
