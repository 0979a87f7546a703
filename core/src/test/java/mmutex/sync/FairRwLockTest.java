package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

@HangGuard
class FairRwLockTest {
    private final FairRwLock lock = new FairRwLock(LockClass.AV);
    private final PausingActor a = new PausingActor(1);
    private final PausingActor b = new PausingActor(2);
    private final PausingActor c = new PausingActor(3);
    private final Crew crew = new Crew();

    @Test
    void shouldBeSharedByReaders() {
        lock.readLock(a);
        lock.readLock(b);

        assertThat(lock.tryReadLock(c)).isTrue();
        assertThat(lock.isHeld()).isTrue();
        assertThat(lock.isWriteHeld()).isFalse();

        lock.readUnlock(a);
        lock.readUnlock(b);
        assertThat(lock.isHeld()).isTrue();
        lock.readUnlock(c);
        assertThat(lock.isHeld()).isFalse();
    }

    @Test
    void shouldBeExclusiveToAWriter() {
        lock.writeLock(a);

        assertThat(lock.isWriteHeld()).isTrue();
        assertThat(lock.tryReadLock(b)).isFalse();

        lock.writeUnlock(a);
        assertThat(lock.isHeld()).isFalse();
        assertThat(lock.tryReadLock(b)).isTrue();
    }

    @Test
    void shouldMakeAWriterWaitForEveryReader() throws InterruptedException {
        lock.readLock(a);
        lock.readLock(b);
        final AtomicInteger inside = new AtomicInteger();
        crew.start("writer", () -> {
            lock.writeLock(c);
            inside.incrementAndGet();
            lock.writeUnlock(c);
        });

        c.awaitPauses(20);
        lock.readUnlock(a);
        c.awaitPauses(c.pauses() + 20);
        assertThat(inside).hasValue(0);
        lock.readUnlock(b);

        crew.join();
        assertThat(inside).hasValue(1);
        assertThat(lock.isHeld()).isFalse();
    }

    /** H4: a queued writer keeps later readers out, so a reader that comes back deadlocks; as in the kernel. */
    @Test
    void shouldKeepReadersOutBehindAQueuedWriter() throws InterruptedException {
        final List<String> order = Collections.synchronizedList(new ArrayList<>());
        lock.readLock(a);
        crew.start("writer", () -> {
            lock.writeLock(b);
            order.add("writer");
            lock.writeUnlock(b);
        });
        b.awaitWaiting();
        crew.start("reader", () -> {
            lock.readLock(c);
            order.add("reader");
            lock.readUnlock(c);
        });
        c.awaitPauses(20);

        assertThat(lock.tryReadLock(a)).isFalse();
        assertThat(order).isEmpty();
        lock.readUnlock(a);

        crew.join();
        assertThat(order).containsExactly("writer", "reader");
    }

    @Test
    void shouldServeWritersInTheOrderOfTheirComing() throws InterruptedException {
        final List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        lock.writeLock(a);
        for (int i = 0; i < 5; i++) {
            final int number = i;
            final PausingActor actor = new PausingActor(10 + i);
            crew.start("writer" + i, () -> {
                lock.writeLock(actor);
                order.add(number);
                lock.writeUnlock(actor);
            });
            actor.awaitWaiting();
        }
        lock.writeUnlock(a);

        crew.join();
        assertThat(order).containsExactly(0, 1, 2, 3, 4);
    }

    /** Neighbouring readers are let in together: each waits inside for the other. */
    @Test
    void shouldLetNeighbouringReadersInTogether() throws InterruptedException {
        final CountDownLatch bothInside = new CountDownLatch(2);
        final List<String> order = Collections.synchronizedList(new ArrayList<>());
        lock.writeLock(a);
        for (final PausingActor reader : List.of(b, c)) {
            crew.start(reader.name(), () -> {
                lock.readLock(reader);
                order.add("reader");
                bothInside.countDown();
                bothInside.await();
                lock.readUnlock(reader);
            });
            reader.awaitWaiting();
        }
        final PausingActor writer = new PausingActor(4);
        crew.start("writer", () -> {
            lock.writeLock(writer);
            order.add("writer");
            lock.writeUnlock(writer);
        });
        writer.awaitWaiting();
        lock.writeUnlock(a);

        crew.join();
        assertThat(order).containsExactly("reader", "reader", "writer");
    }

    @Test
    void shouldWakeASleepingWaiter() throws InterruptedException {
        lock.writeLock(a);
        crew.start("reader", () -> {
            lock.readLock(b);
            lock.readUnlock(b);
        });
        b.awaitAsleep();
        lock.writeUnlock(a);

        crew.join();
        assertThat(lock.isHeld()).isFalse();
    }

    @Test
    void shouldReportAReadUnlockWithoutLock() {
        assertThatThrownBy(() -> lock.readUnlock(a))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("read unlock without read lock: lock=AV, actor=actor1");
    }

    @Test
    void shouldReportAReadUnlockOfAWriteLock() {
        lock.writeLock(a);

        assertThatThrownBy(() -> lock.readUnlock(a))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("read unlock without read lock: lock=AV, actor=actor1");
    }

    @Test
    void shouldReportAWriteUnlockWithoutLock() {
        assertThatThrownBy(() -> lock.writeUnlock(a))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("write unlock without write lock: lock=AV, actor=actor1");
    }

    /** More threads than cores; two plain words that only a writer may change, and only together. */
    @Test
    void shouldExcludeUnderContention() throws InterruptedException {
        final int rounds = 4_000;
        final long[] pair = new long[2];
        final AtomicInteger writes = new AtomicInteger();
        crew.startTogether(6, number -> {
            final Actor actor = new Actor(number + 1, "stress" + number);
            final SplittableRandom random = new SplittableRandom(number);
            for (int i = 0; i < rounds; i++) {
                final int choice = random.nextInt(10);
                if (choice < 3) {
                    lock.writeLock(actor);
                    pair[0]++;
                    pair[1]++;
                    writes.incrementAndGet();
                    lock.writeUnlock(actor);
                } else if (choice < 9) {
                    lock.readLock(actor);
                    assertThat(pair[0]).isEqualTo(pair[1]);
                    lock.readUnlock(actor);
                } else if (lock.tryReadLock(actor)) {
                    assertThat(pair[0]).isEqualTo(pair[1]);
                    lock.readUnlock(actor);
                }
            }
        });
        crew.join();

        assertThat(pair[0]).isEqualTo(writes.get());
        assertThat(pair[1]).isEqualTo(writes.get());
        assertThat(lock.isHeld()).isFalse();
    }
}
