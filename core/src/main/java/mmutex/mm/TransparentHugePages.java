package mmutex.mm;

/** Where faults map huge pages: the values of /sys/kernel/mm/transparent_hugepage/enabled. */
public enum TransparentHugePages {
    /** Wherever one fits, unless the VMA has NOHUGEPAGE. */
    ALWAYS,
    /** In VMAs that have HUGEPAGE. */
    MADVISE,
    /** Nowhere. */
    NEVER
}
