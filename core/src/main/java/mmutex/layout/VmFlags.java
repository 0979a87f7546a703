package mmutex.layout;

/**
 * Flags of a VMA, with the values of {@code include/linux/mm.h} (6.12). They live here because the base protection of
 * an entry is a function of them ({@link PteEncoding#protection}).
 */
public final class VmFlags {
    public static final long READ = 0x1;
    public static final long WRITE = 0x2;
    public static final long EXEC = 0x4;
    public static final long SHARED = 0x8;
    public static final long MAYREAD = 0x10;
    public static final long MAYWRITE = 0x20;
    public static final long MAYEXEC = 0x40;
    public static final long MAYSHARE = 0x80;
    /** Frames are mapped without reverse-map records (device memory mapped by a driver). */
    public static final long PFNMAP = 0x400;

    public static final long LOCKED = 0x2000;
    public static final long IO = 0x4000;
    /** MADV_DONTFORK. */
    public static final long DONTCOPY = 0x20000;

    /** May not grow by mremap; one of the flags that keep VMAs from merging. */
    public static final long DONTEXPAND = 0x40000;

    /** Counts towards committed memory: private memory that is or was writable. */
    public static final long ACCOUNT = 0x10_0000;

    /** Mapped by hugetlb pages. */
    public static final long HUGETLB = 0x40_0000;

    public static final long SOFTDIRTY = 0x0800_0000;
    /** MADV_WIPEONFORK. */
    public static final long WIPEONFORK = 0x0200_0000;

    /** Holds frames that a driver inserted, with or without reverse-map records. */
    public static final long MIXEDMAP = 0x1000_0000;

    public static final long HUGEPAGE = 0x2000_0000;
    public static final long NOHUGEPAGE = 0x4000_0000;
    public static final long MERGEABLE = 0x8000_0000L;
    public static final long UFFD_WP = 0x1000;
    public static final long UFFD_MISSING = 0x200;

    /** VM_SPECIAL: VMAs with any of these are never merged. */
    public static final long SPECIAL = IO | DONTEXPAND | PFNMAP | MIXEDMAP;

    private VmFlags() {}

    /** True for a private mapping that may be written: the kernel's {@code is_cow_mapping}. */
    public static boolean isCowMapping(final long flags) {
        return (flags & (SHARED | MAYWRITE)) == MAYWRITE;
    }
}
