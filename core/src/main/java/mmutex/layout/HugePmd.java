package mmutex.layout;

/**
 * A huge leaf entry of an upper level, as pure functions over {@code long}: the kernel's {@code pmd_t} that maps a whole
 * compound page. It stands in the place of a table's offset, which never has the lowest bit set.
 *
 * <pre>
 *   63            16  15     8       7        6       5       4       3       2       1       0
 *  +-----------------+--------+-----------+---------+-------+-------+-------+-------+-------+------+
 *  |   head's frame  |   0    | no access | uffd-wp | soft- | young | dirty | write | valid | huge |
 *  |     number      |        |           |         | dirty |       |       |       |       |      |
 *  +-----------------+--------+-----------+---------+-------+-------+-------+-------+-------+------+
 * </pre>
 *
 * <p>The emulator's own format, the same for every architecture. An entry that is huge but not valid is one whose holder
 * is about to replace it (pmdp_invalidate): hardware refuses it, software sees that it is huge and waits for its lock.
 */
public final class HugePmd {
    /** What tells a huge entry from a table's offset. */
    public static final long HUGE = 1;

    private static final long VALID = 1 << 1;
    private static final long WRITE = 1 << 2;
    private static final long DIRTY = 1 << 3;
    private static final long YOUNG = 1 << 4;
    private static final long SOFT_DIRTY = 1 << 5;
    private static final long UFFD_WP = 1 << 6;
    private static final long NO_ACCESS = 1 << 7;
    private static final int FRAME_SHIFT = 16;

    private HugePmd() {}

    /** mk_huge_pmd: what a present leaf entry of the head page says, of the whole compound page. */
    public static long of(final PteEncoding encoding, final long pte) {
        return encoding.frameNumber(pte) << FRAME_SHIFT
                | HUGE
                | VALID
                | (encoding.isWritable(pte) ? WRITE : 0)
                | (encoding.isDirty(pte) ? DIRTY : 0)
                | (encoding.isYoung(pte) ? YOUNG : 0)
                | (encoding.isSoftDirty(pte) ? SOFT_DIRTY : 0)
                | (encoding.isUffdWp(pte) ? UFFD_WP : 0)
                | (encoding.isNoAccess(pte) ? NO_ACCESS : 0);
    }

    /**
     * The leaf entry of one page that says the same.
     *
     * @param page number of the page in the compound page
     * @param protection base protection of the mapping
     */
    public static long leaf(final PteEncoding encoding, final long pmd, final long page, final long protection) {
        long pte = encoding.present(frameNumber(pmd) + page, protection);
        pte = isYoung(pmd) ? encoding.mkYoung(pte) : encoding.mkOld(pte);
        pte = isDirty(pmd) ? encoding.mkDirty(pte) : pte; // may set soft-dirty as well
        pte = isSoftDirty(pmd) ? encoding.mkSoftDirty(pte) : encoding.clearSoftDirty(pte);
        pte = isUffdWp(pmd) ? encoding.mkUffdWp(pte) : pte;
        return isWritable(pmd) ? encoding.mkWrite(pte) : pte;
    }

    /** pmd_modify: the same page and state under another base protection, which grants no write. */
    public static long modify(final PteEncoding encoding, final long pmd, final long protection) {
        final long probe = encoding.present(frameNumber(pmd), protection);
        final long kept = pmd & ~(WRITE | NO_ACCESS);
        return kept
                | (encoding.isWritable(probe) && !isUffdWp(pmd) ? WRITE : 0)
                | (encoding.isNoAccess(probe) ? NO_ACCESS : 0);
    }

    /** pmd_trans_huge: a huge entry, valid or not, rather than nothing or a table. */
    public static boolean isHuge(final long upper) {
        return (upper & HUGE) != 0;
    }

    /** Frame number of the head page. */
    public static long frameNumber(final long pmd) {
        return pmd >>> FRAME_SHIFT;
    }

    public static boolean isWritable(final long pmd) {
        return (pmd & WRITE) != 0;
    }

    public static boolean isDirty(final long pmd) {
        return (pmd & DIRTY) != 0;
    }

    public static boolean isYoung(final long pmd) {
        return (pmd & YOUNG) != 0;
    }

    public static boolean isSoftDirty(final long pmd) {
        return (pmd & SOFT_DIRTY) != 0;
    }

    public static boolean isUffdWp(final long pmd) {
        return (pmd & UFFD_WP) != 0;
    }

    /** pmd_protnone. */
    public static boolean isNoAccess(final long pmd) {
        return (pmd & NO_ACCESS) != 0;
    }

    public static long mkYoung(final long pmd) {
        return pmd | YOUNG;
    }

    public static long mkOld(final long pmd) {
        return pmd & ~YOUNG;
    }

    /** pmd_mkdirty: also sets soft-dirty. */
    public static long mkDirty(final long pmd) {
        return pmd | DIRTY | SOFT_DIRTY;
    }

    public static long mkClean(final long pmd) {
        return pmd & ~DIRTY;
    }

    public static long mkWrite(final long pmd) {
        return pmd | WRITE;
    }

    public static long wrProtect(final long pmd) {
        return pmd & ~WRITE;
    }

    public static long mkSoftDirty(final long pmd) {
        return pmd | SOFT_DIRTY;
    }

    public static long clearSoftDirty(final long pmd) {
        return pmd & ~SOFT_DIRTY;
    }

    /** pmd_mkuffd_wp: also write-protects. */
    public static long mkUffdWp(final long pmd) {
        return (pmd | UFFD_WP) & ~WRITE;
    }

    public static long clearUffdWp(final long pmd) {
        return pmd & ~UFFD_WP;
    }

    /** pmdp_invalidate: hardware refuses it from now on. */
    public static long invalidate(final long pmd) {
        return pmd & ~VALID;
    }

    /** Whether hardware grants an access. Any huge entry may be asked. */
    public static boolean permits(final long pmd, final boolean write) {
        final long needed = write ? VALID | WRITE : VALID;
        return (pmd & (needed | NO_ACCESS)) == needed;
    }

    /** What the hardware walker makes of an entry when it grants an access; never touches soft-dirty. */
    public static long hardwareAccessed(final long pmd, final boolean write) {
        return write ? pmd | YOUNG | DIRTY : pmd | YOUNG;
    }
}
