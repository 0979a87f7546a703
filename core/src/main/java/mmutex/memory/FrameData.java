package mmutex.memory;

import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * What the frames contain. A frame's bytes start at {@code pfn << pageShift} and are allocated with it.
 *
 * <p>Threads: any; whoever holds a valid translation. Ordering between parties comes from the protocol (O2, O6), so
 * accesses here are opaque or atomic, never ordered.
 */
public final class FrameData {
    private final Words words;
    private final int pageShift;

    /**
     * Creates empty storage.
     *
     * @param frameCount number of frames
     * @param pageShift base-2 logarithm of the page size, 12 to 16
     */
    public FrameData(final long frameCount, final int pageShift) {
        this.words = new Words("frame contents", frameCount << pageShift);
        this.pageShift = pageShift;
    }

    /** Base-2 logarithm of the page size. */
    public int pageShift() {
        return pageShift;
    }

    /** Bytes in a page. */
    public int pageLength() {
        return 1 << pageShift;
    }

    /** Absolute position of a byte of a frame. */
    public long position(final long pfn, final int offset) {
        return (pfn << pageShift) + offset;
    }

    void ensure(final long pfn) {
        words.ensure(pfn << pageShift);
    }

    public int loadInt(final long position) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.loadIntOpaque(position);
    }

    public void storeInt(final long position, final int value) {
        SchedulePoint.before(Step.CPU_DATA, position);
        words.storeIntOpaque(position, value);
    }

    public int getAndAddInt(final long position, final int delta) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.getAndAddInt(position, delta);
    }

    public int getAndSetInt(final long position, final int value) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.getAndSetInt(position, value);
    }

    public boolean compareAndSetInt(final long position, final int expected, final int value) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.compareAndSetInt(position, expected, value);
    }

    public long loadLong(final long position) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.loadOpaque(position);
    }

    public void storeLong(final long position, final long value) {
        SchedulePoint.before(Step.CPU_DATA, position);
        words.storeOpaque(position, value);
    }

    public long getAndAddLong(final long position, final long delta) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.getAndAdd(position, delta);
    }

    public long getAndSetLong(final long position, final long value) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.getAndSet(position, value);
    }

    public boolean compareAndSetLong(final long position, final long expected, final long value) {
        SchedulePoint.before(Step.CPU_DATA, position);
        return words.compareAndSet(position, expected, value);
    }

    /** First half of a device's read-modify-write. */
    public long deviceLoadLong(final long position) {
        SchedulePoint.before(Step.DEVICE_LOAD, position);
        return words.loadOpaque(position);
    }

    /** Second half of a device's read-modify-write. */
    public void deviceStoreLong(final long position, final long value) {
        SchedulePoint.before(Step.DEVICE_STORE, position);
        words.storeOpaque(position, value);
    }

    /** First half of a device's 32-bit read-modify-write. */
    public int deviceLoadInt(final long position) {
        SchedulePoint.before(Step.DEVICE_LOAD, position);
        return words.loadIntOpaque(position);
    }

    /** Second half of a device's 32-bit read-modify-write. */
    public void deviceStoreInt(final long position, final int value) {
        SchedulePoint.before(Step.DEVICE_STORE, position);
        words.storeIntOpaque(position, value);
    }

    /** Zeroes a frame that nobody else can reach yet. */
    public void clear(final long pfn) {
        words.fill(position(pfn, 0), pageLength(), (byte) 0);
    }

    /** Copies a frame's contents to one that nobody else can reach yet. */
    public void copyFrame(final long from, final long to) {
        words.copy(position(from, 0), position(to, 0), pageLength());
    }

    /** Copies bytes of one frame out. */
    public void read(final long pfn, final int offset, final byte[] target, final int index, final int length) {
        words.read(position(pfn, offset), target, index, length);
    }

    /** Copies bytes into one frame. */
    public void write(final long pfn, final int offset, final byte[] source, final int index, final int length) {
        words.write(position(pfn, offset), source, index, length);
    }

    /** Whether a whole frame reads zero. */
    public boolean isZero(final long pfn) {
        for (int i = 0; i < pageLength(); i += Long.BYTES) {
            if (words.loadOpaque(position(pfn, i)) != 0) {
                return false;
            }
        }
        return true;
    }
}
