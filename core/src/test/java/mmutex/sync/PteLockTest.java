package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import mmutex.memory.TableArena;
import org.junit.jupiter.api.Test;

@HangGuard
class PteLockTest {
    private final TableArena arena = new TableArena(12, 16);
    private final PteLock lock = new PteLock(arena);
    private final Actor a = new Actor(1, "a");
    private final Actor b = new Actor(2, "b");
    private final long table = arena.allocate(0);
    private final long other = arena.allocate(0);

    @Test
    void shouldLockTheWholeTableAndNoOther() {
        lock.lock(a, table + 8);

        assertThat(lock.isLocked(table)).isTrue();
        assertThat(lock.isLocked(table + 4088)).isTrue();
        assertThat(lock.isLocked(other)).isFalse();
        lock.lock(b, other); // two at once, as fork does

        lock.unlock(a, table + 16);
        assertThat(lock.isLocked(table)).isFalse();
        assertThat(lock.isLocked(other)).isTrue();
    }

    @Test
    void shouldTellSlotsOfOneTableFromOthers() {
        assertThat(lock.isSameLock(table, table + 4088)).isTrue();
        assertThat(lock.isSameLock(table, other)).isFalse();
    }

    @Test
    void shouldNotTouchEntries() {
        lock.lock(a, table);

        for (long slot = table; slot < table + 4096; slot += Long.BYTES) {
            assertThat(arena.entries().load(slot)).isZero();
        }
    }

    @Test
    void shouldWaitForTheHolder() throws InterruptedException {
        final AtomicBoolean released = new AtomicBoolean();
        final CountDownLatch coming = new CountDownLatch(1);
        final Crew crew = new Crew();
        lock.lock(a, table);
        crew.start("waiter", () -> {
            coming.countDown();
            lock.lock(b, table);
            assertThat(released).isTrue();
            lock.unlock(b, table);
        });
        coming.await();
        for (int i = 0; i < 1_000; i++) {
            Thread.yield(); // gives the waiter every chance to pass a lock that doesn't hold
        }
        released.set(true);
        lock.unlock(a, table);

        crew.join();
    }

    @Test
    void shouldExcludeUnderContention() throws InterruptedException {
        final int threads = 6;
        final int rounds = 10_000;
        final long[] counter = new long[1];
        final Crew crew = new Crew();
        crew.startTogether(threads, number -> {
            final Actor actor = new Actor(number + 1, "stress" + number);
            for (int i = 0; i < rounds; i++) {
                final long slot = table + 8L * (i % 512);
                lock.lock(actor, slot);
                counter[0]++;
                lock.unlock(actor, slot);
            }
        });
        crew.join();

        assertThat(counter[0]).isEqualTo((long) threads * rounds);
        assertThat(lock.isLocked(table)).isFalse();
    }
}
