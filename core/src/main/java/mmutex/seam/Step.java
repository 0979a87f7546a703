package mmutex.seam;

/** Names of the shared-memory steps that core announces to {@link SchedulePoint}. */
public enum Step {
    /** Load of a CPU page-table entry. */
    PTE_LOAD,
    /** Store of a CPU page-table entry. */
    PTE_STORE,
    /** Compare-and-set of a CPU page-table entry. */
    PTE_CAS,
    /** Atomic get-and-clear of a CPU page-table entry. */
    PTE_CLEAR,
    /** Publication of a page table in its parent. */
    TABLE_PUBLISH,
    /** A frame's reference count changes. */
    FRAME_REFERENCE,
    /** A frame's mapcount or reverse map changes. */
    FRAME_MAPPING,
    /** Load or store of frame contents by a CPU. */
    CPU_DATA,
    /** Load of frame contents by a device. */
    DEVICE_LOAD,
    /** Store of frame contents by a device. */
    DEVICE_STORE,
    /** Load of a device page-table entry. */
    DEVICE_PTE_LOAD,
    /** Store or erase of a device page-table entry. */
    DEVICE_PTE_STORE,
    /** An access window opens. */
    WINDOW_OPEN,
    /** An access window closes. */
    WINDOW_CLOSE,
    /** The translation generation moves, before windows are drained. */
    FLUSH,
    /** Attempt to take a lock. */
    LOCK,
    /** Release of a lock. */
    UNLOCK,
    /** The notifier sequence is read or written. */
    SEQUENCE,
    /** A record is put on an invalidation ring. */
    RING_POST,
    /** A record is taken off an invalidation ring. */
    RING_TAKE,
    /** A record is acknowledged. */
    RING_ACKNOWLEDGE,
    /** The VMA set or the notifier state is read without its lock. */
    PUBLISHED_READ
}
