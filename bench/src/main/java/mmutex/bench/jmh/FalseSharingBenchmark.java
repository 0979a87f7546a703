package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.memory.Words;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it cost two threads that their words, page-table entries say, are neighbours?
 *
 * <p>Each thread changes a word of its own, by compare-and-set as an entry is changed, or by the locked or of a lock bit.
 * At a spacing of 8 bytes the words are adjacent entries and share a cache line; at 64 each has its own, but processors
 * fetch lines in pairs; at 128 nothing is shared. Entries are adjacent, since a table is a page of them as in the kernel;
 * lock words of tables are padded: the difference is the reason. {@code alone} is one thread, for comparison. Cost: 3
 * spacings by 3 methods, 3 minutes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FalseSharingBenchmark {
    private static final int THREADS_MAX = 64;

    /** The words. */
    @State(Scope.Benchmark)
    public static class Shared {
        @Param({"8", "64", "128"})
        public int spacing;

        private final Words words = new Words("false sharing", Words.SEGMENT_LENGTH);
        private final AtomicInteger nextThread = new AtomicInteger();

        @Setup
        public void open() {
            words.ensure(0);
        }
    }

    /** A thread's word. */
    @State(Scope.Thread)
    public static class Mine {
        private Words words;
        private long at;
        private long value;

        @Setup
        public void open(final Shared shared) {
            final int number = shared.nextThread.getAndIncrement();
            if (number >= THREADS_MAX) {
                throw new IllegalStateException("at most " + THREADS_MAX + " threads");
            }
            words = shared.words;
            at = (long) number * shared.spacing;
        }

        private void compareAndSet() {
            if (!words.compareAndSet(at, value, value + 2)) {
                throw new IllegalStateException("somebody else changed the word");
            }
            value += 2;
        }
    }

    @Benchmark
    @Threads(1)
    public void alone(final Mine mine) {
        mine.compareAndSet();
    }

    @Benchmark
    @Threads(2)
    public void entriesOfTwo(final Mine mine) {
        mine.compareAndSet();
    }

    @Benchmark
    @Threads(2)
    public long lockBitsOfTwo(final Mine mine) {
        return mine.words.getAndOr(mine.at, 1) & mine.words.getAndAnd(mine.at, ~1L);
    }
}
