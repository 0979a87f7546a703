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
 * What should a page-table lock lock: the table, as the kernel's does, each entry, or should it be a bit of the entry?
 *
 * <p>The change that a restore makes: lock, compare the entry, store another, unlock. Threads change entries of one table,
 * each its own, 64 bytes apart, so that what they fight for is the lock:
 * <ul>
 *   <li>TABLE: a word for the table's 512 entries;
 *   <li>ENTRY: a word for each, in an array of its own: a second cache line for each entry, no fight;
 *   <li>BIT: a bit of the entry itself: the unlock is the store; no encoding of a real kernel has room for it, and walkers
 *       would have to mask it.
 * </ul>
 * Cost: 3 cells by one thread, 3 by two, 2 minutes; {@code -t} takes more.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PtlGranularityBenchmark {
    private static final long LOCKS = 1 << 16;
    private static final int DISTANCE = 64;
    private static final long PRESENT = 0x8000000000000067L;
    private static final long EXCLUSIVE = 0x1234000;
    private static final long LOCKED = 1L << 58;

    /** What is locked. */
    public enum Granularity {
        TABLE,
        ENTRY,
        BIT
    }

    /** A table. */
    @State(Scope.Benchmark)
    public static class Table {
        @Param
        public Granularity granularity;

        private final Words words = new Words("table", Words.SEGMENT_LENGTH);
        private final AtomicInteger nextThread = new AtomicInteger();

        @Setup
        public void open() {
            words.ensure(0);
        }
    }

    /** A thread's entry. */
    @State(Scope.Thread)
    public static class Entry {
        private Words words;
        private Granularity granularity;
        private long entry;
        private long lock;
        private long pte = PRESENT;

        @Setup
        public void open(final Table table) {
            words = table.words;
            granularity = table.granularity;
            entry = (long) table.nextThread.getAndIncrement() * DISTANCE;
            lock = granularity == Granularity.TABLE ? LOCKS : LOCKS + entry;
            words.storeVolatile(entry, pte);
        }

        private void change() {
            final long next = pte ^ PRESENT ^ EXCLUSIVE;
            final boolean same = granularity == Granularity.BIT ? changeUnderBit(next) : changeUnderLock(next);
            if (!same) {
                throw new IllegalStateException("somebody else changed the entry");
            }
            pte = next;
        }

        private boolean changeUnderLock(final long next) {
            while (!words.compareAndSet(lock, 0, 1)) { // ends: the holder has a few instructions to go
                Thread.onSpinWait();
            }
            final boolean same = words.loadAcquire(entry) == pte;
            words.storeRelease(entry, next);
            words.storeRelease(lock, 0);
            return same;
        }

        private boolean changeUnderBit(final long next) {
            long seen;
            while (((seen = words.getAndOr(entry, LOCKED)) & LOCKED) != 0) { // as above
                Thread.onSpinWait();
            }
            words.storeRelease(entry, next);
            return seen == pte;
        }
    }

    @Benchmark
    @Threads(1)
    public void alone(final Entry entry) {
        entry.change();
    }

    @Benchmark
    @Threads(2)
    public void byTwo(final Entry entry) {
        entry.change();
    }
}
