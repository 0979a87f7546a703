package mmutex.layout;

/**
 * What decides the numbering of swap types and the use of their offsets: immutable configuration of {@link SwapTypes}.
 *
 * @param generation kernel version
 * @param migration whether the kernel has migration entries ({@code CONFIG_MIGRATION})
 * @param devicePrivate whether it has device-private and device-exclusive entries ({@code CONFIG_DEVICE_PRIVATE})
 * @param memoryFailure whether it has hwpoison entries ({@code CONFIG_MEMORY_FAILURE})
 * @param frameNumberBits {@code SWP_PFN_BITS}: width of a frame number in an offset
 * @param swapFilePagesMax pages in the largest possible swap file; normally 2 to the architecture's offset bits
 */
public record SwapTypesSpec(
        KernelGeneration generation,
        boolean migration,
        boolean devicePrivate,
        boolean memoryFailure,
        int frameNumberBits,
        long swapFilePagesMax) {

    /** Checks that a frame number and the two migration bits fit the generic offset. */
    public SwapTypesSpec {
        if (frameNumberBits < 1 || frameNumberBits + 2 > SwapEntry.TYPE_SHIFT) {
            throw new IllegalArgumentException("frame number does not fit: frameNumberBits=" + frameNumberBits);
        }
        if (swapFilePagesMax < 0) {
            throw new IllegalArgumentException("negative size: swapFilePagesMax=" + swapFilePagesMax);
        }
    }

    /** Every option on, and offsets of {@code offsetBits} bits: the usual case. */
    public static SwapTypesSpec everything(
            final KernelGeneration generation, final int frameNumberBits, final int offsetBits) {
        return new SwapTypesSpec(generation, true, true, true, frameNumberBits, 1L << offsetBits);
    }

    /** The same with another limit for swap files, as x86 has for processors with the L1TF flaw. */
    public SwapTypesSpec withSwapFilePagesMax(final long pages) {
        return new SwapTypesSpec(generation, migration, devicePrivate, memoryFailure, frameNumberBits, pages);
    }
}
