package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.memory.TableArena;
import mmutex.sync.Actor;
import mmutex.sync.DriverLock;
import mmutex.sync.MmapLock;
import mmutex.sync.PageLock;
import mmutex.sync.PteLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What do the locks on the path cost two threads that want the same one?
 *
 * <p>Each thread takes the lock, adds to a word that it guards, and releases it, with nothing between two turns: the worst
 * case, not a model of a program. The word shows afterwards that nobody was in together with another. The mmap lock is
 * taken shared, where two don't exclude each other and only its counter is fought for. {@link PartsBenchmark} has the
 * uncontended figures; {@code -t} takes more threads. Cost: 4 locks, 1 minute.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Threads(2)
public class LockContentionBenchmark {

    /** The locks, and what they guard. */
    @State(Scope.Benchmark)
    public static class Locks {
        private final FrameTable frames = new FrameTable(8);
        private final FrameAllocator allocator = new FrameAllocator(frames, new FrameData(8, 12));
        private final TableArena tables = new TableArena(12, 8);
        private final PageLock pageLock = new PageLock(frames);
        private final PteLock pteLock = new PteLock(tables);
        private final DriverLock driverLock = new DriverLock(1);
        private final MmapLock mmapLock = new MmapLock();
        private final AtomicInteger nextActor = new AtomicInteger(1);
        private final AtomicInteger takers = new AtomicInteger();
        private final AtomicLong turns = new AtomicLong();
        private long pfn;
        private long table;
        private long guarded;

        @Setup
        public void prepare() {
            pfn = allocator.allocate();
            table = tables.allocate(0);
        }

        /** The last taker's duty. */
        private void check() {
            if (guarded != turns.get()) {
                throw new IllegalStateException("guarded=" + guarded + ", turns=" + turns.get());
            }
        }
    }

    /** One that takes them. */
    @State(Scope.Thread)
    public static class Taker {
        private Actor actor;
        private long turns;

        @Setup
        public void open(final Locks locks) {
            locks.takers.incrementAndGet();
            final int id = locks.nextActor.getAndIncrement();
            actor = new Actor(id, "taker" + id);
        }

        @TearDown
        public void add(final Locks locks) {
            locks.turns.addAndGet(turns);
            if (locks.takers.decrementAndGet() == 0) {
                locks.check();
            }
        }
    }

    @Benchmark
    public void pageLock(final Locks locks, final Taker taker) {
        locks.pageLock.lock(taker.actor, locks.pfn);
        locks.guarded++;
        locks.pageLock.unlock(taker.actor, locks.pfn);
        taker.turns++;
    }

    @Benchmark
    public void pteLock(final Locks locks, final Taker taker) {
        locks.pteLock.lock(taker.actor, locks.table);
        locks.guarded++;
        locks.pteLock.unlock(taker.actor, locks.table);
        taker.turns++;
    }

    @Benchmark
    public void driverLock(final Locks locks, final Taker taker) {
        locks.driverLock.lock(taker.actor);
        locks.guarded++;
        locks.driverLock.unlock(taker.actor);
        taker.turns++;
    }

    @Benchmark
    public void mmapLockShared(final Locks locks, final Taker taker) {
        locks.mmapLock.readLock(taker.actor);
        locks.mmapLock.readUnlock(taker.actor);
    }
}
