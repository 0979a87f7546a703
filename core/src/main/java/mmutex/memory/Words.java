package mmutex.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

/**
 * A region of off-heap memory addressed by long byte offsets, whose words are read and written with the access mode
 * named at the call.
 *
 * <p>The region consists of segments of {@value #SEGMENT_LENGTH} bytes (one smaller one, if that is enough), allocated by
 * Agrona when first needed: one buffer can't hold the tables of 1 TiB, and small segments keep resident memory within 2 MiB
 * of what is used at the same walking speed (measured).
 *
 * <p>The modes are those of {@link VarHandle}, and so are the names: {@code load}/{@code store} plus Opaque,
 * Acquire/Release or Volatile; read-modify-write operations are volatile. They are performed by Agrona's
 * {@link UnsafeApi}, behind the one check in {@link #at}; what a VarHandle view of the memory would cost more, and why it is
 * too much: {@code docs/decisions/0011}.
 *
 * <p>Threads: any. A thread may use an offset only if it got it, through an acquire, from a thread that had called
 * {@link #ensure} for it or a higher one: segments are looked up by a plain load. An offset without memory is an
 * {@link IndexOutOfBoundsException}; but only assertions notice one that is no multiple of the word size, or is 2^32 segments
 * away. The region must stay reachable while it is used.
 */
public final class Words {
    /** Bytes in a segment. */
    public static final int SEGMENT_LENGTH = 1 << 21;

    private static final int SEGMENT_SHIFT = 21;
    private static final int ALIGNMENT_SHIFT = 12;
    private static final long BYTES_START = UnsafeApi.arrayBaseOffset(byte[].class);
    private static final VarHandle BASES;

    static {
        try {
            BASES = MethodHandles.lookup().findVarHandle(Words.class, "bases", long[].class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final long capacity;
    private final int shift;
    private final Queue<ByteBuffer> memory = new ConcurrentLinkedQueue<>(); // keeps it from being collected

    /** By existing segment, the address that offset 0 would have if memory were contiguous. Replaced whole. */
    private long[] bases = {};

    /**
     * Creates an empty region.
     *
     * @param name for messages
     * @param capacity bytes that may be used at most; memory is taken only by {@link #ensure}
     */
    public Words(final String name, final long capacity) {
        final long count = (capacity + SEGMENT_LENGTH - 1) >>> SEGMENT_SHIFT;
        if (capacity <= 0 || count > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("capacity out of range: region=" + name + ", capacity=" + capacity);
        }
        this.name = name;
        this.shift = count == 1
                ? Math.max(ALIGNMENT_SHIFT, Long.SIZE - Long.numberOfLeadingZeros(capacity - 1))
                : SEGMENT_SHIFT;
        this.capacity = count << shift;
    }

    /** Bytes this region may grow to: what was asked for, rounded up to whole segments. */
    public long capacity() {
        return capacity;
    }

    /** Bytes of memory held now. */
    public long allocatedBytes() {
        return (long) ((long[]) BASES.getAcquire(this)).length << shift;
    }

    /**
     * Makes sure that there is memory up to {@code offset}; it starts zeroed.
     *
     * @throws IndexOutOfBoundsException beyond the capacity
     */
    public void ensure(final long offset) {
        if (offset < 0 || offset >= capacity) {
            throw new IndexOutOfBoundsException("beyond the region: region=" + name + ", offset=" + offset);
        }
        long[] seen = (long[]) BASES.getAcquire(this);
        while (seen.length <= offset >>> shift) { // ends: each round means a segment more
            final ByteBuffer fresh = BufferUtil.allocateDirectAligned(1 << shift, 1 << ALIGNMENT_SHIFT);
            final long[] more = Arrays.copyOf(seen, seen.length + 1);
            more[seen.length] = BufferUtil.address(fresh) - ((long) seen.length << shift);
            // A loser of this race drops its segment; both threads have then seen the winner's.
            if (BASES.compareAndSet(this, seen, more)) {
                memory.add(fresh);
            }
            Reference.reachabilityFence(fresh);
            seen = (long[]) BASES.getAcquire(this);
        }
    }

    /**
     * The address of a word. The array's own bounds check is the check: there are as many elements as segments. It takes the
     * low 32 bits of the segment's number for the whole, which assertions look after.
     */
    private long at(final long offset) {
        assert (offset & Long.BYTES - 1) == 0 && isSmall(offset) : noWord(offset);
        return bases[(int) (offset >>> shift)] + offset;
    }

    private long atInt(final long offset) {
        assert (offset & Integer.BYTES - 1) == 0 && isSmall(offset) : noWord(offset);
        return bases[(int) (offset >>> shift)] + offset;
    }

    private boolean isSmall(final long offset) {
        return offset >>> shift >>> Integer.SIZE == 0 || offset < 0 && offset >> shift == -1;
    }

    private String noWord(final long offset) {
        return "misaligned, or far away: region=" + name + ", offset=" + offset;
    }

    // ---- long words -----------------------------------------------------------------------------------------

    public long load(final long offset) {
        return UnsafeApi.getLong(null, at(offset));
    }

    public long loadOpaque(final long offset) {
        return UnsafeApi.getLongOpaque(null, at(offset));
    }

    public long loadAcquire(final long offset) {
        return UnsafeApi.getLongAcquire(null, at(offset));
    }

    public long loadVolatile(final long offset) {
        return UnsafeApi.getLongVolatile(null, at(offset));
    }

    public void store(final long offset, final long value) {
        UnsafeApi.putLong(null, at(offset), value);
    }

    public void storeOpaque(final long offset, final long value) {
        UnsafeApi.putLongOpaque(null, at(offset), value);
    }

    public void storeRelease(final long offset, final long value) {
        UnsafeApi.putLongRelease(null, at(offset), value);
    }

    public void storeVolatile(final long offset, final long value) {
        UnsafeApi.putLongVolatile(null, at(offset), value);
    }

    public boolean compareAndSet(final long offset, final long expected, final long value) {
        return UnsafeApi.compareAndSetLong(null, at(offset), expected, value);
    }

    public long getAndSet(final long offset, final long value) {
        return UnsafeApi.getAndSetLong(null, at(offset), value);
    }

    public long getAndAdd(final long offset, final long delta) {
        return UnsafeApi.getAndAddLong(null, at(offset), delta);
    }

    public long getAndOr(final long offset, final long bits) {
        return UnsafeApi.getAndBitwiseOrLong(null, at(offset), bits);
    }

    public long getAndAnd(final long offset, final long bits) {
        return UnsafeApi.getAndBitwiseAndLong(null, at(offset), bits);
    }

    // ---- int words ------------------------------------------------------------------------------------------

    public int loadInt(final long offset) {
        return UnsafeApi.getInt(null, atInt(offset));
    }

    public int loadIntOpaque(final long offset) {
        return UnsafeApi.getIntOpaque(null, atInt(offset));
    }

    public void storeInt(final long offset, final int value) {
        UnsafeApi.putInt(null, atInt(offset), value);
    }

    public void storeIntOpaque(final long offset, final int value) {
        UnsafeApi.putIntOpaque(null, atInt(offset), value);
    }

    public boolean compareAndSetInt(final long offset, final int expected, final int value) {
        return UnsafeApi.compareAndSetInt(null, atInt(offset), expected, value);
    }

    public int getAndAddInt(final long offset, final int delta) {
        return UnsafeApi.getAndAddInt(null, atInt(offset), delta);
    }

    public int getAndSetInt(final long offset, final int value) {
        return UnsafeApi.getAndSetInt(null, atInt(offset), value);
    }

    // ---- bulk: plain accesses, ordered by whoever publishes the result ---------------------------------------

    /** Sets bytes that lie within one segment to a value. */
    public void fill(final long offset, final int length, final byte value) {
        UnsafeApi.setMemory(bytes(offset, length), length, value);
    }

    /** Copies bytes within this region; neither side may cross a segment boundary. */
    public void copy(final long from, final long to, final int length) {
        UnsafeApi.copyMemory(bytes(from, length), bytes(to, length), length);
    }

    /** Copies bytes out; the source may not cross a segment boundary. */
    public void read(final long from, final byte[] target, final int targetIndex, final int length) {
        Objects.checkFromIndexSize(targetIndex, length, target.length);
        UnsafeApi.copyMemory(null, bytes(from, length), target, BYTES_START + targetIndex, length);
    }

    /** Copies bytes in; the target may not cross a segment boundary. */
    public void write(final long to, final byte[] source, final int sourceIndex, final int length) {
        Objects.checkFromIndexSize(sourceIndex, length, source.length);
        UnsafeApi.copyMemory(source, BYTES_START + sourceIndex, null, bytes(to, length), length);
    }

    private long bytes(final long offset, final int length) {
        Objects.checkFromIndexSize(offset & (1L << shift) - 1, length, 1L << shift);
        return bases[(int) (offset >>> shift)] + offset;
    }
}
