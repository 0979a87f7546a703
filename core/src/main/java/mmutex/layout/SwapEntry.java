package mmutex.layout;

/**
 * The architecture-independent value behind a non-present entry: {@code swp_entry_t}.
 *
 * <pre>
 *   63   62      58 57                                                    0
 *  +----+----------+-------------------------------------------------------+
 *  | 0  |   type   |                        offset                         |
 *  +----+----------+-------------------------------------------------------+
 * </pre>
 *
 * <p>Linux keeps bit 63 free for the XArray, but nothing enforces it: an architecture whose entry has a wider type field
 * decodes a damaged word to a type above 31. So {@link #type} reads six bits, as {@code swp_type} does.
 *
 * <p>Kernel counterpart: {@code swp_entry}, {@code swp_type}, {@code swp_offset} of {@code include/linux/swapops.h}.
 */
public final class SwapEntry {
    /** {@code SWP_TYPE_SHIFT}: lowest bit of the type, and so the width of the offset. */
    public static final int TYPE_SHIFT = 58;

    public static final long OFFSET_MASK = (1L << TYPE_SHIFT) - 1;

    /** One more than the largest result of {@link #type}. */
    public static final int TYPE_COUNT = 1 << (Long.SIZE - TYPE_SHIFT);

    private SwapEntry() {}

    /** {@code swp_entry}: the offset is cut to 58 bits without a word. */
    public static long of(final int type, final long offset) {
        return ((long) type << TYPE_SHIFT) | (offset & OFFSET_MASK);
    }

    /** {@code swp_type}. */
    public static int type(final long entry) {
        return (int) (entry >>> TYPE_SHIFT);
    }

    /** {@code swp_offset}. */
    public static long offset(final long entry) {
        return entry & OFFSET_MASK;
    }
}
