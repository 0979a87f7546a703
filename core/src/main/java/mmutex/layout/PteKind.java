package mmutex.layout;

/**
 * What a page-table entry says, decoded.
 *
 * <p>Device types sort write before read and migration types read before write, as in the kernel; so kinds are
 * never compared by order. Kernel counterpart: the swap types of {@code include/linux/swap.h} and the predicates of
 * {@code swapops.h} (6.12).
 */
public enum PteKind {
    /** Empty: never populated, or zapped. */
    NONE,
    /** Translates to a frame; hardware (here: an access window) may use it unless it is a no-access mapping. */
    PRESENT,
    /** A swap slot. */
    SWAP,
    /** The frame is being migrated; the entry comes back read-only. */
    MIGRATION_READ,
    /** The frame is being migrated; the entry comes back read-only and AnonExclusive. */
    MIGRATION_READ_EXCLUSIVE,
    /** The frame is being migrated; the entry comes back writable. */
    MIGRATION_WRITE,
    /** The page lives in device memory and comes back writable. */
    DEVICE_PRIVATE_WRITE,
    /** The page lives in device memory and comes back read-only. */
    DEVICE_PRIVATE_READ,
    /** Ordinary memory, CPUs locked out, restored writable (kernels up to 6.14). */
    DEVICE_EXCLUSIVE_WRITE,
    /** Ordinary memory, CPUs locked out, restored read-only (kernels up to 6.14). */
    DEVICE_EXCLUSIVE_READ,
    /** Ordinary memory, CPUs locked out; writability is decided at restore (6.15 and later, the only exclusive type). */
    DEVICE_EXCLUSIVE,
    /** The frame is poisoned. */
    HWPOISON,
    /** No page, only marker bits. */
    MARKER,
    /** A non-present word whose type number nobody has assigned. */
    UNASSIGNED;

    /** True for every form of device-exclusive entry. */
    public boolean isDeviceExclusive() {
        return this == DEVICE_EXCLUSIVE_WRITE || this == DEVICE_EXCLUSIVE_READ || this == DEVICE_EXCLUSIVE;
    }

    /** True for device-private entries, writable or not. */
    public boolean isDevicePrivate() {
        return this == DEVICE_PRIVATE_WRITE || this == DEVICE_PRIVATE_READ;
    }

    /** True for the three migration kinds. */
    public boolean isMigration() {
        return this == MIGRATION_READ || this == MIGRATION_READ_EXCLUSIVE || this == MIGRATION_WRITE;
    }

    /** True for non-present kinds whose offset is a frame number (the kernel's {@code is_pfn_swap_entry}). */
    public boolean carriesFrameNumber() {
        return isDeviceExclusive() || isDevicePrivate() || isMigration() || this == HWPOISON;
    }
}
