package mmutex.device;

/**
 * An entry of a device page table.
 *
 * <pre>
 *   63                          8  7      3    2       1      0
 *  +-----------------------------+---------+--------+-------+-------+
 *  |        frame number         |    0    | atomic | write | valid |
 *  +-----------------------------+---------+--------+-------+-------+
 * </pre>
 */
public final class DevicePte {
    /** No mapping. */
    public static final long NONE = 0;

    public static final long VALID = 1;
    public static final long WRITE = 1 << 1;
    public static final long ATOMIC = 1 << 2;

    private static final int FRAME_SHIFT = 8;

    private DevicePte() {}

    public static long of(final long pfn, final long flags) {
        return pfn << FRAME_SHIFT | flags;
    }

    /** Frame number of a valid entry. */
    public static long frameNumber(final long pte) {
        return pte >>> FRAME_SHIFT;
    }

    /** Whether all the given flags are set. */
    public static boolean has(final long pte, final long flags) {
        return (pte & flags) == flags;
    }
}
