package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@HangGuard
class PageLockTest {
    private static final int FRAMES = 64;

    private final FrameTable frames = new FrameTable(FRAMES);
    private final FrameAllocator allocator = new FrameAllocator(frames, new FrameData(FRAMES, 12));
    private final PageLock lock = new PageLock(frames);
    private final PausingActor a = new PausingActor(1);
    private final PausingActor b = new PausingActor(2);
    private final Crew crew = new Crew();
    private long pfn;

    @BeforeEach
    void allocate() {
        pfn = allocator.allocate();
    }

    @Test
    void shouldBeTakenByOneOnly() {
        assertThat(lock.tryLock(a, pfn)).isTrue();
        assertThat(lock.tryLock(b, pfn)).isFalse();
        assertThat(lock.tryLock(a, pfn)).isFalse(); // not re-entrant

        lock.unlock(a, pfn);
        assertThat(lock.isLocked(pfn)).isFalse();
        assertThat(lock.tryLock(b, pfn)).isTrue();
    }

    @Test
    void shouldRecordTheOwnerForDumps() {
        lock.lock(b, pfn);
        assertThat(frames.lockOwner(pfn)).isEqualTo(b.id());

        lock.unlock(b, pfn);
        assertThat(frames.lockOwner(pfn)).isZero();
    }

    @Test
    void shouldLockFramesIndependently() {
        final long other = allocator.allocate();
        lock.lock(a, pfn);

        assertThat(lock.tryLock(b, other)).isTrue();
        lock.unlock(a, pfn);
        assertThat(lock.isLocked(other)).isTrue();
    }

    @Test
    void shouldKeepTheOtherStateBits() {
        frames.setBits(pfn, FrameTable.DIRTY | FrameTable.ANON);
        final long before = frames.state(pfn);

        lock.lock(a, pfn);
        assertThat(frames.state(pfn)).isEqualTo(before | FrameTable.LOCKED);
        lock.unlock(a, pfn);
        assertThat(frames.state(pfn)).isEqualTo(before);
    }

    /** PG_locked has no owner: a driver may unlock what was locked on its behalf. */
    @Test
    void shouldBeReleasedByAnotherActor() {
        lock.lock(a, pfn);
        lock.unlock(b, pfn);

        assertThat(lock.tryLock(a, pfn)).isTrue();
    }

    @Test
    void shouldReportAnUnlockWithoutLock() {
        assertThatThrownBy(() -> lock.unlock(a, pfn))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("unlock of an unlocked page: pfn=" + pfn + ", actor=actor1");
    }

    @Test
    void shouldWaitForTheHolder() throws InterruptedException {
        final AtomicInteger inside = new AtomicInteger();
        lock.lock(a, pfn);
        crew.start("waiter", () -> {
            lock.lock(b, pfn);
            inside.incrementAndGet();
        });
        b.awaitPauses(20);
        assertThat(inside).hasValue(0);
        lock.unlock(a, pfn);

        crew.join();
        assertThat(lock.isLocked(pfn)).isTrue();
        assertThat(frames.lockOwner(pfn)).isEqualTo(b.id());
    }

    @Test
    void shouldWakeSleepersUntilAllHaveHadIt() throws InterruptedException {
        final int count = 3;
        final PausingActor[] sleepers = new PausingActor[count];
        final AtomicInteger had = new AtomicInteger();
        lock.lock(a, pfn);
        for (int i = 0; i < count; i++) {
            final PausingActor sleeper = new PausingActor(10 + i);
            sleepers[i] = sleeper;
            crew.start("sleeper" + i, () -> {
                lock.lock(sleeper, pfn);
                had.incrementAndGet();
                lock.unlock(sleeper, pfn);
            });
        }
        for (final PausingActor sleeper : sleepers) {
            sleeper.awaitAsleep();
        }
        assertThat(frames.has(pfn, FrameTable.WAITERS)).isTrue();
        lock.unlock(a, pfn);

        crew.join();
        assertThat(had).hasValue(count);
        assertThat(frames.state(pfn) & (FrameTable.LOCKED | FrameTable.WAITERS)).isZero();
    }

    @Test
    void shouldWaitForAnUnlockWithoutTakingTheLock() throws InterruptedException {
        assertThat(lock.waitUnlocked(b, pfn, false)).isTrue();
        assertThat(b.pauses()).isZero();

        final AtomicReference<Boolean> result = new AtomicReference<>();
        lock.lock(a, pfn);
        crew.start("waiter", () -> result.set(lock.waitUnlocked(b, pfn, false)));
        b.awaitAsleep();
        assertThat(result).hasValue(null);
        lock.unlock(a, pfn);

        crew.join();
        assertThat(result).hasValue(true);
        assertThat(lock.isLocked(pfn)).isFalse();
    }

    /** The frame may have been freed, and be somebody else's by the time the sleeper wakes. */
    @Test
    void shouldEndAWaitWithoutReferenceWhenItsReasonIsGone() throws InterruptedException {
        final AtomicBoolean remains = new AtomicBoolean(true);
        final AtomicBoolean ended = new AtomicBoolean();
        lock.lock(a, pfn);
        crew.start("waiter", () -> {
            lock.waitUnlockedUnreferenced(b, pfn, remains::get);
            ended.set(true);
        });
        b.awaitAsleep();
        assertThat(ended).isFalse();

        remains.set(false);
        lock.unlock(a, pfn);
        lock.lock(a, pfn); // its next owner

        crew.join();
        assertThat(ended).isTrue();
        assertThat(frames.lockOwner(pfn)).isEqualTo(a.id());
        lock.waitUnlockedUnreferenced(b, pfn, () -> false);
        lock.unlock(a, pfn);
        lock.waitUnlockedUnreferenced(b, pfn, () -> true);
    }

    @Test
    void shouldGiveUpAKillableWaitForAnUnlock() throws InterruptedException {
        final AtomicReference<Boolean> result = new AtomicReference<>();
        lock.lock(a, pfn);
        crew.start("waiter", () -> result.set(lock.waitUnlocked(b, pfn, true)));
        b.awaitAsleep();
        b.kill();

        crew.join();
        assertThat(result).hasValue(false);
        assertThat(frames.lockOwner(pfn)).isEqualTo(a.id());
    }

    @Test
    void shouldGiveUpAKillableLock() throws InterruptedException {
        final AtomicReference<Boolean> result = new AtomicReference<>();
        lock.lock(a, pfn);
        crew.start("waiter", () -> result.set(lock.lockKillable(b, pfn)));
        b.awaitAsleep();
        b.kill();

        crew.join();
        assertThat(result).hasValue(false);
        assertThat(frames.lockOwner(pfn)).isEqualTo(a.id());
        lock.unlock(a, pfn);
        assertThat(lock.isLocked(pfn)).isFalse();
    }

    @Test
    void shouldTakeAFreeLockInSpiteOfASignal() {
        b.kill();

        assertThat(lock.lockKillable(b, pfn)).isTrue();
        assertThat(lock.isLocked(pfn)).isTrue();
    }

    @Test
    void shouldNotLetASignalEndAnUninterruptibleWait() throws InterruptedException {
        final AtomicInteger inside = new AtomicInteger();
        lock.lock(a, pfn);
        crew.start("waiter", () -> {
            lock.lock(b, pfn);
            inside.incrementAndGet();
        });
        b.awaitWaiting();
        b.kill();
        b.awaitPauses(b.pauses() + 3);
        assertThat(inside).hasValue(0);
        lock.unlock(a, pfn);

        crew.join();
        assertThat(inside).hasValue(1);
    }

    /** More threads than cores on a few pages; plain counters guarded by the page locks. */
    @Test
    void shouldExcludeUnderContention() throws InterruptedException {
        final int threads = 8;
        final int rounds = 3_000;
        final long[] pages = {pfn, allocator.allocate(), allocator.allocate()};
        final long[] counters = new long[pages.length * 16];
        crew.startTogether(threads, number -> {
            final Actor actor = new Actor(number + 1, "stress" + number);
            for (int i = 0; i < rounds; i++) {
                final int page = (i + number) % pages.length;
                switch (i % 4) {
                    case 0:
                        assertThat(lock.lockKillable(actor, pages[page])).isTrue();
                        break;
                    case 1:
                        while (!lock.tryLock(actor, pages[page])) {
                            lock.waitUnlocked(actor, pages[page], false);
                        }
                        break;
                    default:
                        lock.lock(actor, pages[page]);
                        break;
                }
                counters[page * 16]++;
                lock.unlock(actor, pages[page]);
            }
        });
        crew.join();

        assertThat(counters[0] + counters[16] + counters[32]).isEqualTo((long) threads * rounds);
        for (final long page : pages) {
            assertThat(lock.isLocked(page)).isFalse();
        }
    }
}
