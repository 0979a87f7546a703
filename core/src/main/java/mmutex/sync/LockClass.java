package mmutex.sync;

/** Classes of locks and waits, named as in the kernel's lock order. */
public enum LockClass {
    /** A device's fault work: one batch, or the device's removal. */
    FW,
    /** Inode lock, i_rwsem: truncations and writes of one file exclude each other. */
    IR,
    /** mmap lock. */
    MM,
    /** Per-VMA lock. */
    VL,
    /** Page lock, PG_locked. */
    PG,
    /** A device's list of memory chunks; held while it is emptied. */
    DM,
    /** A file's mapping lock, i_mmap_rwsem: which VMAs map it. */
    IM,
    /** Root anon_vma's lock. */
    AV,
    /** A notifier span: waited for by read_begin and remove. */
    N,
    /** Read section of the list subscribers (SRCU). */
    SR,
    /** Semaphore of an address space's mirrors (up to 5.4): held over their callbacks. */
    MS,
    /** Driver lock. */
    DL,
    /** Leaf-table lock. */
    PT,
    /** Spin lock of the notifier state. */
    SQ,
    /** Other leaf spin locks. */
    LF,
    /** Waiting for access windows to close. */
    WINDOW,
    /** Waiting for a ring record's acknowledgement, or for room on the ring. */
    RING,
    /** Inside callbacks of a span that may not wait: non_block_start to non_block_end. */
    NB
}
