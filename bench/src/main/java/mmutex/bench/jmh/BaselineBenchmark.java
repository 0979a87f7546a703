package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.bench.baseline.ExclusivePages;
import mmutex.bench.baseline.Implementation;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How does the emulator compare with what a Java programmer would write: access, and a make with the restore that ends it,
 * by one thread and by two, on few pages and on many?
 *
 * <p>Every implementation does what {@link ExclusivePages} says and passes the same oracle; the package of
 * {@link mmutex.bench.baseline} says what the rivals need not do. Pages are visited in steps of a large odd number, so
 * that 256 K pages are as many cache misses as they are in a program that does not sweep. Two threads of one method keep
 * to halves of the pages; {@code pingPong} is the fight for one. Cost: 5 implementations by 2 sizes by 5 methods, 30
 * minutes; 256 K pages are 1 GiB of memory, direct or heap.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class BaselineBenchmark {
    private static final int THREADS = 2;
    /** Odd, so that every page's turn comes: sizes are powers of two. */
    private static final int STRIDE = 40_503;

    /** The pages, all threads'. */
    @State(Scope.Benchmark)
    public static class Shared {
        @Param
        public Implementation implementation;

        @Param({"256", "262144"})
        public int pages;

        private final AtomicInteger nextThread = new AtomicInteger();
        private ExclusivePages store;

        @Setup
        public void open() {
            if (Integer.bitCount(pages) != 1 || pages < 2) {
                throw new IllegalArgumentException("pages must be a power of two from 2, was " + pages);
            }
            store = implementation.open(pages, THREADS, THREADS);
        }
    }

    /** A thread: its CPU, its device, its pages. */
    @State(Scope.Thread)
    public static class Mine {
        private ExclusivePages store;
        private int number;
        private int step;
        private int mask;
        private long pairs;
        private long restoresBefore;

        @Setup
        public void open(final Shared shared) {
            store = shared.store;
            number = shared.nextThread.getAndIncrement();
            if (number >= THREADS) {
                throw new IllegalStateException("at most " + THREADS + " threads");
            }
            mask = shared.pages / THREADS - 1;
            for (int page = number; page < shared.pages; page += THREADS) {
                store.add(number, page, 0); // known to this CPU's TLB, if it has room
            }
        }

        @Setup(Level.Iteration)
        public void start() {
            pairs = 0;
            restoresBefore = store.restores(number);
        }

        /** A make that was not undone, or a restore of what was not made, is not a pair. */
        @TearDown(Level.Iteration)
        public void check() {
            final long restores = store.restores(number) - restoresBefore;
            if (restores != pairs) {
                throw new IllegalStateException("restores=" + restores + ", pairs=" + pairs);
            }
        }

        private int nextPage() {
            step++;
            return (step * STRIDE & mask) * THREADS + number;
        }
    }

    /** Two threads on one page. */
    @State(Scope.Group)
    public static class Duel {
        private ExclusivePages store;

        @Setup
        public void open(final Shared shared) {
            store = shared.store;
        }
    }

    /** How many of the CPU's accesses met a page that the device had: the rest were hits. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Taken {
        public long restores;

        private ExclusivePages store;
        private long before;

        @Setup(Level.Iteration)
        public void start(final Shared shared) {
            store = shared.store;
            before = store.restores(0);
        }

        @TearDown(Level.Iteration)
        public void stop() {
            restores = store.restores(0) - before;
            if (restores == 0) {
                throw new IllegalStateException("no access met a page that the device had");
            }
        }
    }

    @Benchmark
    @Threads(1)
    public long access(final Mine mine) {
        return mine.store.add(mine.number, mine.nextPage(), 1);
    }

    @Benchmark
    @Threads(THREADS)
    public long accessByTwo(final Mine mine) {
        return mine.store.add(mine.number, mine.nextPage(), 1);
    }

    @Benchmark
    @Threads(1)
    public long makeAndRestore(final Mine mine) {
        return pair(mine);
    }

    @Benchmark
    @Threads(THREADS)
    public long makeAndRestoreByTwo(final Mine mine) {
        return pair(mine);
    }

    @Benchmark
    @Group("pingPong")
    @GroupThreads(1)
    public long pingPongCpu(final Duel duel, final Taken taken) {
        return duel.store.add(0, 0, 1);
    }

    @Benchmark
    @Group("pingPong")
    @GroupThreads(1)
    public void pingPongDevice(final Duel duel) {
        duel.store.deviceAdd(0, 0, 1);
    }

    private static long pair(final Mine mine) {
        final int page = mine.nextPage();
        mine.store.make(mine.number, page);
        mine.pairs++;
        return mine.store.add(mine.number, page, 1);
    }
}
