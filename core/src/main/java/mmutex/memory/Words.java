package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A region of off-heap memory addressed by long byte offsets, whose words are read and written with the access mode
 * named at the call.
 *
 * <p>The region consists of segments of {@value #SEGMENT_LENGTH} bytes, Agrona buffers that are allocated when first
 * needed: one Agrona buffer can't hold the tables of 1 TiB, and small segments keep resident memory within 2 MiB of
 * what is used at the same walking speed (measured). The words are reached through {@link VarHandle} views of those
 * buffers' memory; why not through Agrona's own atomics: {@code docs/decisions/0002}.
 *
 * <p>Threads: any. A thread may use an offset only if it got it, through an acquire, from a thread that had called
 * {@link #ensure} for it: segments are looked up by a plain load.
 *
 * <p>Names follow {@link VarHandle}: {@code load}/{@code store} plus Opaque, Acquire/Release or Volatile; read-modify-
 * write operations are volatile. Offsets must be multiples of the word size.
 */
public final class Words {
    /** Bytes in a segment. */
    public static final int SEGMENT_LENGTH = 1 << 21;

    private static final int SEGMENT_SHIFT = 21;
    private static final int SEGMENT_MASK = SEGMENT_LENGTH - 1;
    private static final int ALIGNMENT = 4096;

    private static final VarHandle LONGS = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder())
            .withInvokeExactBehavior();
    private static final VarHandle INTS = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder())
            .withInvokeExactBehavior();
    private static final VarHandle SEGMENTS = MethodHandles.arrayElementVarHandle(ByteBuffer[].class);

    private final String name;
    private final long capacity;
    private final ByteBuffer[] segments;
    private final UnsafeBuffer[] bulk;

    /**
     * Creates an empty region.
     *
     * @param name for messages
     * @param capacity bytes that may be used at most; memory is taken only by {@link #ensure}
     */
    public Words(final String name, final long capacity) {
        final long count = (capacity + SEGMENT_MASK) >>> SEGMENT_SHIFT;
        if (capacity <= 0 || count > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("capacity out of range: region=" + name + ", capacity=" + capacity);
        }
        this.name = name;
        this.capacity = capacity + ALIGNMENT - 1 & -ALIGNMENT;
        this.segments = new ByteBuffer[(int) count];
        this.bulk = new UnsafeBuffer[(int) count];
    }

    /** Bytes this region may grow to: what was asked for, rounded up to {@value #ALIGNMENT}. */
    public long capacity() {
        return capacity;
    }

    /** The last segment ends with the region: most regions are smaller than a segment. */
    private int length(final int segment) {
        return (int) Math.min(SEGMENT_LENGTH, capacity - ((long) segment << SEGMENT_SHIFT));
    }

    /** Bytes of memory held now. */
    public long allocatedBytes() {
        long sum = 0;
        for (int i = 0; i < segments.length; i++) {
            if (SEGMENTS.getAcquire(segments, i) != null) {
                sum += length(i);
            }
        }
        return sum;
    }

    /**
     * Makes sure that the segment of {@code offset} exists; it starts zeroed.
     *
     * @throws IndexOutOfBoundsException beyond the capacity
     */
    public void ensure(final long offset) {
        if (offset < 0 || offset >= capacity()) {
            throw new IndexOutOfBoundsException("beyond the region: region=" + name + ", offset=" + offset);
        }
        final int index = (int) (offset >>> SEGMENT_SHIFT);
        if (SEGMENTS.getAcquire(segments, index) == null) {
            final ByteBuffer fresh = BufferUtil.allocateDirectAligned(length(index), ALIGNMENT);
            // A loser of this race drops its segment; both threads have then seen the winner's.
            if (SEGMENTS.compareAndSet(segments, index, (ByteBuffer) null, fresh)) {
                bulk[index] = new UnsafeBuffer(fresh);
            }
        }
    }

    // ---- long words -----------------------------------------------------------------------------------------

    public long load(final long offset) {
        return (long) LONGS.get(segment(offset), index(offset));
    }

    public long loadOpaque(final long offset) {
        return (long) LONGS.getOpaque(segment(offset), index(offset));
    }

    public long loadAcquire(final long offset) {
        return (long) LONGS.getAcquire(segment(offset), index(offset));
    }

    public long loadVolatile(final long offset) {
        return (long) LONGS.getVolatile(segment(offset), index(offset));
    }

    public void store(final long offset, final long value) {
        LONGS.set(segment(offset), index(offset), value);
    }

    public void storeOpaque(final long offset, final long value) {
        LONGS.setOpaque(segment(offset), index(offset), value);
    }

    public void storeRelease(final long offset, final long value) {
        LONGS.setRelease(segment(offset), index(offset), value);
    }

    public void storeVolatile(final long offset, final long value) {
        LONGS.setVolatile(segment(offset), index(offset), value);
    }

    public boolean compareAndSet(final long offset, final long expected, final long value) {
        return LONGS.compareAndSet(segment(offset), index(offset), expected, value);
    }

    public long getAndSet(final long offset, final long value) {
        return (long) LONGS.getAndSet(segment(offset), index(offset), value);
    }

    public long getAndAdd(final long offset, final long delta) {
        return (long) LONGS.getAndAdd(segment(offset), index(offset), delta);
    }

    public long getAndOr(final long offset, final long bits) {
        return (long) LONGS.getAndBitwiseOr(segment(offset), index(offset), bits);
    }

    public long getAndAnd(final long offset, final long bits) {
        return (long) LONGS.getAndBitwiseAnd(segment(offset), index(offset), bits);
    }

    // ---- int words ------------------------------------------------------------------------------------------

    public int loadInt(final long offset) {
        return (int) INTS.get(segment(offset), index(offset));
    }

    public int loadIntOpaque(final long offset) {
        return (int) INTS.getOpaque(segment(offset), index(offset));
    }

    public void storeInt(final long offset, final int value) {
        INTS.set(segment(offset), index(offset), value);
    }

    public void storeIntOpaque(final long offset, final int value) {
        INTS.setOpaque(segment(offset), index(offset), value);
    }

    public boolean compareAndSetInt(final long offset, final int expected, final int value) {
        return INTS.compareAndSet(segment(offset), index(offset), expected, value);
    }

    public int getAndAddInt(final long offset, final int delta) {
        return (int) INTS.getAndAdd(segment(offset), index(offset), delta);
    }

    public int getAndSetInt(final long offset, final int value) {
        return (int) INTS.getAndSet(segment(offset), index(offset), value);
    }

    // ---- bulk: plain accesses, ordered by whoever publishes the result ---------------------------------------

    /** Sets bytes that lie within one segment to a value. */
    public void fill(final long offset, final int length, final byte value) {
        bulkOf(offset).setMemory(index(offset), length, value);
    }

    /** Copies bytes within this region; neither side may cross a segment boundary. */
    public void copy(final long from, final long to, final int length) {
        bulkOf(to).putBytes(index(to), bulkOf(from), index(from), length);
    }

    /** Copies bytes out; the source may not cross a segment boundary. */
    public void read(final long from, final byte[] target, final int targetIndex, final int length) {
        bulkOf(from).getBytes(index(from), target, targetIndex, length);
    }

    /** Copies bytes in; the target may not cross a segment boundary. */
    public void write(final long to, final byte[] source, final int sourceIndex, final int length) {
        bulkOf(to).putBytes(index(to), source, sourceIndex, length);
    }

    private UnsafeBuffer bulkOf(final long offset) {
        final int index = (int) (offset >>> SEGMENT_SHIFT);
        final UnsafeBuffer buffer = bulk[index];
        // The loser of the race in ensure() can come here before the winner has stored its view.
        return buffer != null ? buffer : new UnsafeBuffer(segments[index]);
    }

    private ByteBuffer segment(final long offset) {
        return segments[(int) (offset >>> SEGMENT_SHIFT)];
    }

    private static int index(final long offset) {
        return (int) offset & SEGMENT_MASK;
    }
}
