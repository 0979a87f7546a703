package mmutex.bench.jmh;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import mmutex.memory.Words;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * Are off-heap words reached faster the way core does it, through VarHandle views of the buffers' memory, or through
 * Agrona's own atomics?
 *
 * <p>The same segments, offsets and steps for each; one implementation a VM, so that its calls are inlined as in core.
 * {@code markAndRestore} is the pattern that decides: what make and restore do to a page's record, its leaf table's lock
 * and its entry. docs/decisions/0002 and 0011 draw the conclusions.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class WordsBenchmark {
    private static final int PAGES = 256;
    private static final long CAPACITY = 2L * Words.SEGMENT_LENGTH;
    private static final long ENTRIES = 0;
    private static final long LOCKS = Words.SEGMENT_LENGTH - 4096;
    private static final long RECORDS = Words.SEGMENT_LENGTH;
    private static final int SEGMENT_SHIFT = 21;
    private static final int SEGMENT_MASK = Words.SEGMENT_LENGTH - 1;
    private static final int ALIGNMENT = 4096;
    private static final int RECORD_SHIFT = 6;
    private static final int REFCOUNT = 8;
    private static final long LOCKED = 1;
    private static final long PRESENT = 0x8000000000000067L;

    /** How words are reached. */
    public enum Access {
        /** {@link Words}: one check against the number of segments. */
        WORDS,
        /** VarHandle views of the buffers' memory, always checked against the buffer's bounds: what core used before. */
        VARHANDLE,
        /** Agrona's atomics, checked: its default. */
        AGRONA,
        /** Agrona's atomics with its bounds checks switched off. */
        AGRONA_UNCHECKED
    }

    @Param
    public Access access;

    private Atomics words;
    private int page;

    @Setup
    public void prepare() {
        if (access == Access.AGRONA_UNCHECKED) {
            System.setProperty("agrona.disable.bounds.checks", "true"); // read when the buffer class is initialised
        }
        words = newWords();
        for (int i = 0; i < PAGES; i++) {
            words.storeVolatile(ENTRIES + ((long) i << 3), PRESENT);
            words.storeVolatile(RECORDS + ((long) i << RECORD_SHIFT) + REFCOUNT, 1);
        }
    }

    private Atomics newWords() {
        switch (access) {
            case WORDS:
                return new OurWords();
            case VARHANDLE:
                return new VarHandleWords();
            default:
                return new AgronaWords();
        }
    }

    @Benchmark
    public long loadAcquire() {
        return words.loadAcquire(nextEntry());
    }

    @Benchmark
    public long loadVolatile() {
        return words.loadVolatile(nextEntry());
    }

    @Benchmark
    public void storeRelease() {
        words.storeRelease(nextEntry(), PRESENT);
    }

    @Benchmark
    public void storeVolatile() {
        words.storeVolatile(nextEntry(), PRESENT);
    }

    @Benchmark
    public boolean compareAndSet() {
        return words.compareAndSet(nextEntry(), PRESENT, PRESENT);
    }

    @Benchmark
    public long getAndSet() {
        return words.getAndSet(nextEntry(), PRESENT);
    }

    @Benchmark
    public long getAndAdd() {
        return words.getAndAdd(nextEntry(), 0);
    }

    /** Taking a lock bit: the operation that Agrona lacks. */
    @Benchmark
    public long getAndOr() {
        return words.getAndOr(nextEntry(), LOCKED);
    }

    /** One page: make, then restore. */
    @Benchmark
    public boolean markAndRestore() {
        page = page + 1 & PAGES - 1;
        final long entry = ENTRIES + ((long) page << 3);
        final long record = RECORDS + ((long) page << RECORD_SHIFT);
        final long exclusive = (long) page << 12;

        final long before = mark(entry, record, exclusive);
        return restore(entry, record, exclusive, before);
    }

    private long mark(final long entry, final long record, final long exclusive) {
        words.getAndAdd(record + REFCOUNT, 1);
        words.getAndOr(record, LOCKED);
        words.compareAndSet(LOCKS, 0, 1);
        final long before = words.getAndSet(entry, 0);
        words.storeRelease(entry, exclusive);
        words.storeRelease(LOCKS, 0);
        words.getAndAnd(record, ~LOCKED);
        words.getAndAdd(record + REFCOUNT, -1);
        return before;
    }

    private boolean restore(final long entry, final long record, final long exclusive, final long present) {
        final long seen = words.loadAcquire(entry);
        words.getAndAdd(record + REFCOUNT, 1);
        words.getAndOr(record, LOCKED);
        words.compareAndSet(LOCKS, 0, 1);
        final boolean same = words.loadAcquire(entry) == seen && seen == exclusive;
        if (same) {
            words.storeRelease(entry, present);
        }
        words.storeRelease(LOCKS, 0);
        words.getAndAnd(record, ~LOCKED);
        words.getAndAdd(record + REFCOUNT, -1);
        return same;
    }

    private long nextEntry() {
        page = page + 1 & PAGES - 1;
        return ENTRIES + ((long) page << 3);
    }

    /** The operations that the pattern consists of. */
    private abstract static class Atomics {
        abstract long loadAcquire(long offset);

        abstract long loadVolatile(long offset);

        abstract void storeRelease(long offset, long value);

        abstract void storeVolatile(long offset, long value);

        abstract boolean compareAndSet(long offset, long expected, long value);

        abstract long getAndSet(long offset, long value);

        abstract long getAndAdd(long offset, long delta);

        abstract long getAndOr(long offset, long bits);

        abstract long getAndAnd(long offset, long bits);
    }

    private static final class OurWords extends Atomics {
        private final Words words = new Words("benchmark", CAPACITY);

        OurWords() {
            words.ensure(0);
            words.ensure(Words.SEGMENT_LENGTH);
        }

        @Override
        long loadAcquire(final long offset) {
            return words.loadAcquire(offset);
        }

        @Override
        long loadVolatile(final long offset) {
            return words.loadVolatile(offset);
        }

        @Override
        void storeRelease(final long offset, final long value) {
            words.storeRelease(offset, value);
        }

        @Override
        void storeVolatile(final long offset, final long value) {
            words.storeVolatile(offset, value);
        }

        @Override
        boolean compareAndSet(final long offset, final long expected, final long value) {
            return words.compareAndSet(offset, expected, value);
        }

        @Override
        long getAndSet(final long offset, final long value) {
            return words.getAndSet(offset, value);
        }

        @Override
        long getAndAdd(final long offset, final long delta) {
            return words.getAndAdd(offset, delta);
        }

        @Override
        long getAndOr(final long offset, final long bits) {
            return words.getAndOr(offset, bits);
        }

        @Override
        long getAndAnd(final long offset, final long bits) {
            return words.getAndAnd(offset, bits);
        }
    }

    /** The same segments and the same split of the offset behind views. */
    private static final class VarHandleWords extends Atomics {
        private static final VarHandle LONGS = MethodHandles.byteBufferViewVarHandle(
                        long[].class, ByteOrder.nativeOrder())
                .withInvokeExactBehavior();

        private final ByteBuffer[] segments = new ByteBuffer[(int) (CAPACITY >>> SEGMENT_SHIFT)];

        VarHandleWords() {
            for (int i = 0; i < segments.length; i++) {
                segments[i] = BufferUtil.allocateDirectAligned(Words.SEGMENT_LENGTH, ALIGNMENT);
            }
        }

        @Override
        long loadAcquire(final long offset) {
            return (long) LONGS.getAcquire(segment(offset), index(offset));
        }

        @Override
        long loadVolatile(final long offset) {
            return (long) LONGS.getVolatile(segment(offset), index(offset));
        }

        @Override
        void storeRelease(final long offset, final long value) {
            LONGS.setRelease(segment(offset), index(offset), value);
        }

        @Override
        void storeVolatile(final long offset, final long value) {
            LONGS.setVolatile(segment(offset), index(offset), value);
        }

        @Override
        boolean compareAndSet(final long offset, final long expected, final long value) {
            return LONGS.compareAndSet(segment(offset), index(offset), expected, value);
        }

        @Override
        long getAndSet(final long offset, final long value) {
            return (long) LONGS.getAndSet(segment(offset), index(offset), value);
        }

        @Override
        long getAndAdd(final long offset, final long delta) {
            return (long) LONGS.getAndAdd(segment(offset), index(offset), delta);
        }

        @Override
        long getAndOr(final long offset, final long bits) {
            return (long) LONGS.getAndBitwiseOr(segment(offset), index(offset), bits);
        }

        @Override
        long getAndAnd(final long offset, final long bits) {
            return (long) LONGS.getAndBitwiseAnd(segment(offset), index(offset), bits);
        }

        private ByteBuffer segment(final long offset) {
            return segments[(int) (offset >>> SEGMENT_SHIFT)];
        }

        private static int index(final long offset) {
            return (int) offset & SEGMENT_MASK;
        }
    }

    /** Words as they would be on Agrona's interface: the same segments and the same split of the offset. */
    private static final class AgronaWords extends Atomics {
        private final UnsafeBuffer[] segments = new UnsafeBuffer[(int) (CAPACITY >>> SEGMENT_SHIFT)];

        AgronaWords() {
            for (int i = 0; i < segments.length; i++) {
                segments[i] = new UnsafeBuffer(BufferUtil.allocateDirectAligned(Words.SEGMENT_LENGTH, ALIGNMENT));
            }
        }

        @Override
        long loadAcquire(final long offset) {
            return segment(offset).getLongAcquire(index(offset));
        }

        @Override
        long loadVolatile(final long offset) {
            return segment(offset).getLongVolatile(index(offset));
        }

        @Override
        void storeRelease(final long offset, final long value) {
            segment(offset).putLongRelease(index(offset), value);
        }

        @Override
        void storeVolatile(final long offset, final long value) {
            segment(offset).putLongVolatile(index(offset), value);
        }

        @Override
        boolean compareAndSet(final long offset, final long expected, final long value) {
            return segment(offset).compareAndSetLong(index(offset), expected, value);
        }

        @Override
        long getAndSet(final long offset, final long value) {
            return segment(offset).getAndSetLong(index(offset), value);
        }

        @Override
        long getAndAdd(final long offset, final long delta) {
            return segment(offset).getAndAddLong(index(offset), delta);
        }

        @Override
        long getAndOr(final long offset, final long bits) {
            final UnsafeBuffer segment = segment(offset);
            final int index = index(offset);
            long seen;
            do { // a failure means that another thread's change succeeded
                seen = segment.getLongVolatile(index);
            } while (!segment.compareAndSetLong(index, seen, seen | bits));
            return seen;
        }

        @Override
        long getAndAnd(final long offset, final long bits) {
            final UnsafeBuffer segment = segment(offset);
            final int index = index(offset);
            long seen;
            do { // as above
                seen = segment.getLongVolatile(index);
            } while (!segment.compareAndSetLong(index, seen, seen & bits));
            return seen;
        }

        private UnsafeBuffer segment(final long offset) {
            return segments[(int) (offset >>> SEGMENT_SHIFT)];
        }

        private static int index(final long offset) {
            return (int) offset & SEGMENT_MASK;
        }
    }
}
