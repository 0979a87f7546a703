package mmutex.hmm;

/** The word that describes a page to a device, and the request for it: include/linux/hmm.h (6.12). */
public final class HmmFlags {
    /** Output: the page is there and readable. */
    public static final long VALID = 1L << 63;
    /** Output: it is writable. */
    public static final long WRITE = 1L << 62;
    /** Output: it can't be accessed. */
    public static final long ERROR = 1L << 61;
    /** Request: fault it in. */
    public static final long REQ_FAULT = VALID;
    /** Request: fault it in for writing (with REQ_FAULT). */
    public static final long REQ_WRITE = WRITE;

    private static final int ORDER_SHIFT = Long.SIZE - 8;
    private static final long ORDER_MASK = 0x1f;
    private static final long FLAGS = VALID | WRITE | ERROR | ORDER_MASK << ORDER_SHIFT;

    private HmmFlags() {}

    /** Output: the page is part of a mapping of 2^order pages (hmm_pfn_flags_order). */
    static long ofOrder(final int order) {
        return (long) order << ORDER_SHIFT;
    }

    /** hmm_pfn_to_map_order: base-2 logarithm of the pages that are mapped as one. */
    public static int order(final long pfn) {
        return (int) (pfn >>> ORDER_SHIFT & ORDER_MASK);
    }

    /** Frame number of a valid page. */
    public static long frameNumber(final long pfn) {
        return pfn & ~FLAGS;
    }
}
