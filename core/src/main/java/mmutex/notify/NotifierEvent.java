package mmutex.notify;

/** Why a range is invalidated: {@code enum mmu_notifier_event} (6.12). */
public enum NotifierEvent {
    /** The range is unmapped, or moved away. */
    UNMAP,
    /** Entries are cleared or replaced. */
    CLEAR,
    /** The VMA's protection changes. */
    PROTECTION_VMA,
    /** Entries are write-protected without a change of the VMA: fork. */
    PROTECTION_PAGE,
    /** Soft-dirty bits are cleared. */
    SOFT_DIRTY,
    /** The address space is going away. */
    RELEASE,
    /** Pages move to or from device memory of the owner. */
    MIGRATE,
    /** Pages become exclusive to the owner; up to 6.14 also: an exclusive page is restored (owner null). */
    EXCLUSIVE
}
