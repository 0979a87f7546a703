package mmutex.fault;

/** What a page getter asks for: the FOLL flags that matter here, mm/gup.c (6.12). */
public final class GupFlags {
    /** FOLL_WRITE: the page will be written through the reference, so it must be this process's own and writable. */
    public static final int WRITE = 1;
    /** FOLL_FORCE: a debugger's access; ignores missing permissions of private mappings that may have them. */
    public static final int FORCE = 1 << 1;
    /** FOLL_PIN: a reference that says "somebody reads or writes this page behind the page table's back". */
    public static final int PIN = 1 << 2;
    /** FOLL_MADV_POPULATE: nothing is referenced; a hole is ENOMEM, a mapping that forbids the access EINVAL. */
    public static final int POPULATE = 1 << 3;
    /** FOLL_UNLOCKABLE: the mmap lock may be dropped and taken again while a fault waits. */
    public static final int UNLOCKABLE = 1 << 4;
    /**
     * FOLL_SPLIT_PMD: every page must have an entry of its own: huge entries are split; pages that can't be divided are
     * refused.
     */
    public static final int SPLIT_PMD = 1 << 6;

    private GupFlags() {}
}
