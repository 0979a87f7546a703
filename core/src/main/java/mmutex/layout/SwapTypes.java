package mmutex.layout;

import java.util.Arrays;
import java.util.function.Predicate;

/**
 * The numbers of the swap types in one kernel and configuration, and what their offsets mean.
 *
 * <p>Types are given out from the top, and a group exists only if its option is on; what is left at the bottom are real
 * swap files. With everything on:
 *
 * <pre>
 *          6.12                               7.3
 *    31    marker                             marker
 *    30    device exclusive, readable         device exclusive
 *    29    device exclusive, writable         device private, readable
 *    28    device private, readable           device private, writable
 *    27    device private, writable           migration, writable
 *    26    migration, writable                migration, readable and exclusive
 *    25    migration, readable and exclusive  migration, readable
 *    24    migration, readable                hwpoison
 *    23    hwpoison                           swap files from here down
 *    22    swap files from here down
 * </pre>
 *
 * <p>The offset of a kind that carries a frame number:
 *
 * <pre>
 *   57           n+2    n+1        n      n-1                 0        n = frameNumberBits()
 *  +----------------+---------+---------+----------------------+
 *  |       0        |  dirty  |  young  |     frame number     |      young and dirty: migration only
 *  +----------------+---------+---------+----------------------+
 * </pre>
 *
 * <p>All functions take and return {@code swp_entry_t} values ({@link SwapEntry}), never page-table entries. Instances
 * are immutable and may be used by any thread. Kernel counterpart: {@code include/linux/swap.h} and {@code swapops.h}
 * (6.12), {@code leafops.h} (7.x).
 */
public final class SwapTypes {
    /** Marker bit: write-protected by userfaultfd although there is no page. */
    public static final int MARKER_UFFD_WP = 1;

    /** Marker bit: an access is a memory error. */
    public static final int MARKER_POISONED = 2;

    /** Marker bit: a guard page, since 6.13. */
    public static final int MARKER_GUARD = 4;

    private static final int HIGHEST_TYPE = 31;
    private static final int NO_TYPE = -1;

    private final SwapTypesSpec spec;
    private final PteKind[] kindByType = new PteKind[SwapEntry.TYPE_COUNT];
    private final int[] typeByKind = new int[PteKind.values().length];
    private final int maxSwapFiles;
    /** Bit t is set if type t is a device-exclusive one. */
    private final long exclusiveTypes;
    /** Bit t is set if offsets of type t hold a frame number. */
    private final long frameTypes;

    private final long frameMask;
    /** 0 if this kernel cannot keep young and dirty: setting and testing then need no branch. */
    private final long youngMask;

    private final long dirtyMask;
    private final long markerMask;
    private final boolean readableExclusive;
    private final PteKind exclusiveIfWritable;
    private final PteKind exclusiveIfReadable;

    /** Numbers the types of a configuration. */
    public SwapTypes(final SwapTypesSpec spec) {
        this.spec = spec;
        Arrays.fill(kindByType, PteKind.UNASSIGNED);
        Arrays.fill(typeByKind, NO_TYPE);
        this.readableExclusive = spec.generation() == KernelGeneration.V6_12;
        this.exclusiveIfWritable = readableExclusive ? PteKind.DEVICE_EXCLUSIVE_WRITE : PteKind.DEVICE_EXCLUSIVE;
        this.exclusiveIfReadable = readableExclusive ? PteKind.DEVICE_EXCLUSIVE_READ : PteKind.DEVICE_EXCLUSIVE;
        this.maxSwapFiles = assignAll() + 1;
        Arrays.fill(kindByType, 0, maxSwapFiles, PteKind.SWAP);

        this.exclusiveTypes = typesWhere(PteKind::isDeviceExclusive);
        this.frameTypes = typesWhere(PteKind::carriesFrameNumber);
        this.frameMask = (1L << spec.frameNumberBits()) - 1;
        final boolean tracks = spec.swapFilePagesMax() >= 1L << (spec.frameNumberBits() + 2);
        this.youngMask = tracks ? 1L << migrationYoungBit() : 0;
        this.dirtyMask = tracks ? 1L << migrationDirtyBit() : 0;
        this.markerMask = MARKER_UFFD_WP | MARKER_POISONED | (readableExclusive ? 0 : MARKER_GUARD);
    }

    /** The configuration. */
    public SwapTypesSpec spec() {
        return spec;
    }

    /** Kernel version, short for {@code spec().generation()}. */
    public KernelGeneration generation() {
        return spec.generation();
    }

    // ---- kinds and numbers ---------------------------------------------------------------------------------

    /** The kind of a type number; {@link PteKind#UNASSIGNED} if nobody has it. Never NONE or PRESENT. */
    public PteKind kindOf(final int type) {
        // Results of SwapEntry.type need neither this test nor a bounds check: the JIT knows their range.
        return (type & -SwapEntry.TYPE_COUNT) == 0 ? kindByType[type] : PteKind.UNASSIGNED;
    }

    /**
     * The number of a kind.
     *
     * @throws IllegalArgumentException if it has none here: the option is off, the kernel has another form of it, or
     *     it is no single type at all (none, present, swap)
     */
    public int typeOf(final PteKind kind) {
        final int type = typeByKind[kind.ordinal()];
        if (type == NO_TYPE) {
            throw new IllegalArgumentException("no swap type: kind=" + kind + ", spec=" + spec);
        }
        return type;
    }

    /** True if {@link #typeOf} has a number for this kind. */
    public boolean has(final PteKind kind) {
        return typeByKind[kind.ordinal()] != NO_TYPE;
    }

    /** {@code MAX_SWAPFILES}: types below are real swap files, types from here on are {@code non_swap_entry}. */
    public int maxSwapFiles() {
        return maxSwapFiles;
    }

    /** True if the entry locks CPUs out in favour of a device: one shift instead of a table look-up. */
    public boolean isDeviceExclusive(final long entry) {
        return ((exclusiveTypes >>> SwapEntry.type(entry)) & 1) != 0;
    }

    /** {@code is_pfn_swap_entry}: true if the offset holds a frame number. */
    public boolean carriesFrameNumber(final long entry) {
        return ((frameTypes >>> SwapEntry.type(entry)) & 1) != 0;
    }

    /** True if readable and writable exclusive entries are different types: kernels up to 6.14. */
    public boolean hasReadableExclusive() {
        return readableExclusive;
    }

    /** The exclusive kind for a page that was mapped writable or not; 6.15 and later have only one. */
    public PteKind exclusiveKind(final boolean writable) {
        return writable ? exclusiveIfWritable : exclusiveIfReadable;
    }

    // ---- frame numbers, young and dirty --------------------------------------------------------------------

    /** {@code SWP_PFN_BITS}. */
    public int frameNumberBits() {
        return spec.frameNumberBits();
    }

    /** {@code swp_offset_pfn}: the frame number without whatever stands above it. */
    public long frameNumber(final long entry) {
        return entry & frameMask;
    }

    /** Offset bit of {@code SWP_MIG_YOUNG}, whether it is in use or not. */
    public int migrationYoungBit() {
        return spec.frameNumberBits();
    }

    /** Offset bit of {@code SWP_MIG_DIRTY}, whether it is in use or not. */
    public int migrationDirtyBit() {
        return spec.frameNumberBits() + 1;
    }

    /** {@code migration_entry_supports_ad}: whether migration entries keep young and dirty. */
    public boolean tracksMigrationYoungDirty() {
        return youngMask != 0;
    }

    /** {@code make_migration_entry_young}: does nothing where unsupported. */
    public long mkMigrationYoung(final long entry) {
        return entry | youngMask;
    }

    /** {@code make_migration_entry_dirty}: does nothing where unsupported. */
    public long mkMigrationDirty(final long entry) {
        return entry | dirtyMask;
    }

    /** {@code is_migration_entry_young}: false where unsupported. */
    public boolean isMigrationYoung(final long entry) {
        return (entry & youngMask) != 0;
    }

    /** {@code is_migration_entry_dirty}: false where unsupported. */
    public boolean isMigrationDirty(final long entry) {
        return (entry & dirtyMask) != 0;
    }

    // ---- markers -------------------------------------------------------------------------------------------

    /** The marker bits that this kernel reads. */
    public long markerMask() {
        return markerMask;
    }

    /** {@code make_pte_marker_entry}: bits that the kernel does not know are stored all the same. */
    public long marker(final long bits) {
        return SwapEntry.of(HIGHEST_TYPE, bits);
    }

    /** {@code pte_marker_get}: the bits of a marker that this kernel knows. */
    public long markerBits(final long entry) {
        return entry & markerMask;
    }

    // ---- numbering, once per instance ----------------------------------------------------------------------

    /** Gives out numbers from the top; returns the first one that is left. */
    private int assignAll() {
        int next = assign(HIGHEST_TYPE, PteKind.MARKER);
        if (spec.devicePrivate()) {
            next = readableExclusive
                    ? assign(next, PteKind.DEVICE_EXCLUSIVE_READ, PteKind.DEVICE_EXCLUSIVE_WRITE)
                    : assign(next, PteKind.DEVICE_EXCLUSIVE);
            next = assign(next, PteKind.DEVICE_PRIVATE_READ, PteKind.DEVICE_PRIVATE_WRITE);
        }
        if (spec.migration()) {
            // The other way round than the device types: here write is above read.
            next = assign(next, PteKind.MIGRATION_WRITE, PteKind.MIGRATION_READ_EXCLUSIVE, PteKind.MIGRATION_READ);
        }
        return spec.memoryFailure() ? assign(next, PteKind.HWPOISON) : next;
    }

    private int assign(final int from, final PteKind... kinds) {
        int next = from;
        for (final PteKind kind : kinds) {
            kindByType[next] = kind;
            typeByKind[kind.ordinal()] = next--;
        }
        return next;
    }

    private long typesWhere(final Predicate<PteKind> wanted) {
        long types = 0;
        for (int type = 0; type < kindByType.length; type++) {
            if (wanted.test(kindByType[type])) {
                types |= 1L << type;
            }
        }
        return types;
    }
}
