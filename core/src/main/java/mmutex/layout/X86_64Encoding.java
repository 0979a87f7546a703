package mmutex.layout;

/**
 * The entry of x86-64, four or five levels, bit for bit that of Linux.
 *
 * <pre>
 *  present (bit 0, or bit 8 alone for a no-access mapping)
 *   63  62  59  58   57   56 52 51        12 11  10   9   8   7   6   5   4   3   2   1   0
 *  +---+------+----+----+------+------------+---+---+---+---+---+---+---+---+---+---+---+---+
 *  |NX | key  | Ds | dm |  -   |   frame    |sd |ufd| sp| G |PAT| D | A |PCD|PWT| U | W | P |
 *  +---+------+----+----+------+------------+---+---+---+---+---+---+---+---+---+---+---+---+
 *
 *  swap form (bits 0 and 8 clear)
 *   63     59 58                                          9   8   7   6   5   4   3   2   1   0
 *  +---------+---------------------------------------------+---+---+---+---+---+---+---+---+---+
 *  |  type   |             offset, complemented            | 0 | 0 | - | - | - |exc|ufd|sd | 0 |
 *  +---------+---------------------------------------------+---+---+---+---+---+---+---+---+---+
 *
 *   Ds saved dirty   dm devmap (6.12)   sd soft-dirty   ufd uffd-wp   sp special   exc swap-exclusive
 * </pre>
 *
 * <p>Two things are unlike any other architecture:
 *
 * <ul>
 *   <li><b>Saved dirty.</b> "D without W" means shadow stack to newer processors. So an entry that loses W moves D to
 *       bit 58, and one that gains W moves it back. Both moves are arithmetic, not branches.
 *   <li><b>Complemented addresses.</b> A processor with the L1TF flaw may speculate with the address bits of an entry
 *       that is not present. So every non-zero word without P holds its frame number or offset complemented: small
 *       numbers then point above real memory. This includes present no-access mappings.
 * </ul>
 *
 * <p>One class for both depths and both kernels, so that only one subclass of {@link PteEncoding} is loaded; the
 * differences are fields. Kernel counterpart: {@code arch/x86/include/asm/pgtable.h}, {@code pgtable_64.h},
 * {@code pgtable-invert.h}. Shadow stacks, protection keys and memory encryption are not emulated.
 */
public final class X86_64Encoding extends PteEncoding {
    public static final int PAGE_SHIFT = 12;
    public static final int INDEX_BITS = 9;

    public static final long PRESENT = 1L;
    public static final long WRITABLE = 1L << 1;
    public static final long USER = 1L << 2;
    public static final long WRITE_THROUGH = 1L << 3;
    public static final long CACHE_DISABLE = 1L << 4;
    public static final long ACCESSED = 1L << 5;
    public static final long DIRTY = 1L << 6;
    public static final long PAT = 1L << 7;
    /** Without {@link #PRESENT}: a no-access mapping. The hardware calls this bit "global". */
    public static final long NO_ACCESS = 1L << 8;

    public static final long SPECIAL = 1L << 9;
    public static final long UFFD_WP = 1L << 10;
    public static final long SOFT_DIRTY = 1L << 11;
    public static final long FRAME_MASK = ((1L << 40) - 1) << PAGE_SHIFT;
    public static final long DEVMAP = 1L << 57;
    public static final long SAVED_DIRTY = 1L << 58;
    public static final long NO_EXECUTE = 1L << 63;

    public static final long SWAP_SOFT_DIRTY = 1L << 1;
    public static final long SWAP_UFFD_WP = 1L << 2;
    public static final long SWAP_EXCLUSIVE = 1L << 3;
    /** Lowest bit of the type. */
    public static final int SWAP_TYPE_SHIFT = 59;
    /** Lowest bit of the offset. */
    public static final int SWAP_OFFSET_SHIFT = 9;
    /** Width of the offset. */
    public static final int SWAP_OFFSET_BITS = 50;

    private static final int WRITABLE_BIT = 1;
    private static final int DIRTY_BIT = 6;
    private static final int SAVED_DIRTY_BIT = 58;
    private static final long EITHER_DIRTY = DIRTY | SAVED_DIRTY;

    /** An erratum may set these in an entry that is not present: an empty entry stays empty. */
    private static final long ERRATUM = ACCESSED | DIRTY;

    /** {@code _PAGE_CHG_MASK} without devmap: what a change of protection keeps. */
    private static final long KEPT_BY_MODIFY =
            FRAME_MASK | WRITE_THROUGH | CACHE_DISABLE | PAT | SPECIAL | ACCESSED | EITHER_DIRTY | SOFT_DIRTY | UFFD_WP;

    /** {@code protection_map}, indexed by {@link VmFlags#READ}, WRITE, EXEC and SHARED. */
    private static final long[] PROTECTIONS = protectionMap();

    private final int levels;
    private final long devmap;
    private final long devmapAndSpecial;
    private final long keptByModify;

    private X86_64Encoding(final String name, final KernelGeneration generation, final int levels) {
        super(
                name,
                new SwapTypes(SwapTypesSpec.everything(
                        generation, physicalAddressBits(levels) - PAGE_SHIFT, SWAP_OFFSET_BITS)));
        final boolean hasDevmap = generation == KernelGeneration.V6_12;
        this.levels = levels;
        this.devmap = hasDevmap ? DEVMAP : 0;
        this.devmapAndSpecial = hasDevmap ? DEVMAP | SPECIAL : 0;
        this.keptByModify = KEPT_BY_MODIFY | devmap;
    }

    /**
     * Creates the encoding for one kernel and depth. Declared to return the base class, so that a registry which
     * mentions this method does not load the subclass when its own code is verified.
     *
     * @param levels 4 or 5
     */
    public static PteEncoding create(final String name, final KernelGeneration generation, final int levels) {
        return new X86_64Encoding(name, generation, levels);
    }

    /**
     * {@code arch_max_swapfile_size} on a processor with the L1TF flaw: pages in the largest swap file whose
     * complemented offsets stay above real memory.
     *
     * @param cacheAddressBits physical address bits that the caches use
     */
    public static long l1tfSwapFilePagesMax(final int cacheAddressBits) {
        // Half the address space is out of reach; the offset starts 3 bits below the frame number.
        final int bits = cacheAddressBits - 1 - PAGE_SHIFT + (PAGE_SHIFT - SWAP_OFFSET_SHIFT);
        return 1L << Math.min(bits, SWAP_OFFSET_BITS);
    }

    private static int physicalAddressBits(final int levels) {
        return switch (levels) {
            case 4 -> 46;
            case 5 -> 52;
            default -> throw new IllegalArgumentException("x86-64 has 4 or 5 levels: levels=" + levels);
        };
    }

    // ---- geometry ------------------------------------------------------------------------------------------

    @Override
    public int pageShift() {
        return PAGE_SHIFT;
    }

    @Override
    public int levels() {
        return levels;
    }

    @Override
    public int indexBits() {
        return INDEX_BITS;
    }

    @Override
    public int frameNumberBits() {
        return types().frameNumberBits();
    }

    // ---- state ---------------------------------------------------------------------------------------------

    @Override
    public long empty() {
        return 0;
    }

    @Override
    public boolean isNone(final long pte) {
        return (pte & ~ERRATUM) == 0;
    }

    @Override
    public boolean isPresent(final long pte) {
        return (pte & (PRESENT | NO_ACCESS)) != 0;
    }

    // ---- present entries -----------------------------------------------------------------------------------

    @Override
    public long protection(final long vmFlags) {
        return PROTECTIONS[(int) (vmFlags & (VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC | VmFlags.SHARED))];
    }

    @Override
    public long present(final long frameNumber, final long protection) {
        return (((frameNumber << PAGE_SHIFT) ^ inversion(protection)) & FRAME_MASK) | protection;
    }

    @Override
    public long modify(final long pte, final long protection) {
        long changed = (pte & keptByModify) | (protection & ~keptByModify);
        changed ^= (inversion(pte) ^ inversion(changed)) & FRAME_MASK;
        // Only an entry that was writable can have D to save; moving it for others would break a shadow stack.
        return (pte & WRITABLE) != 0 ? saveDirty(changed) : restoreDirty(changed);
    }

    @Override
    public long frameNumber(final long pte) {
        return ((pte ^ inversion(pte)) & FRAME_MASK) >>> PAGE_SHIFT;
    }

    @Override
    public boolean isWritable(final long pte) {
        return (pte & WRITABLE) != 0;
    }

    @Override
    public boolean isDirty(final long pte) {
        return (pte & EITHER_DIRTY) != 0;
    }

    @Override
    public boolean isYoung(final long pte) {
        return (pte & ACCESSED) != 0;
    }

    @Override
    public boolean isSoftDirty(final long pte) {
        return (pte & SOFT_DIRTY) != 0;
    }

    @Override
    public boolean isUffdWp(final long pte) {
        return (pte & UFFD_WP) != 0;
    }

    @Override
    public boolean isSpecial(final long pte) {
        return (pte & SPECIAL) != 0;
    }

    @Override
    public boolean isDevmap(final long pte) {
        return (pte & devmap) != 0;
    }

    @Override
    public boolean isExecutable(final long pte) {
        return pte >= 0; // NO_EXECUTE is the sign bit
    }

    @Override
    public boolean isNoAccess(final long pte) {
        return (pte & (PRESENT | NO_ACCESS)) == NO_ACCESS;
    }

    @Override
    public long mkYoung(final long pte) {
        return pte | ACCESSED;
    }

    @Override
    public long mkOld(final long pte) {
        return pte & ~ACCESSED;
    }

    @Override
    public long mkDirty(final long pte) {
        return saveDirty(pte | DIRTY | SOFT_DIRTY);
    }

    @Override
    public long mkClean(final long pte) {
        return pte & ~EITHER_DIRTY;
    }

    @Override
    public long mkWrite(final long pte) {
        return restoreDirty(pte | WRITABLE);
    }

    @Override
    public long wrProtect(final long pte) {
        return saveDirty(pte & ~WRITABLE);
    }

    @Override
    public long mkSoftDirty(final long pte) {
        return pte | SOFT_DIRTY;
    }

    @Override
    public long clearSoftDirty(final long pte) {
        return pte & ~SOFT_DIRTY;
    }

    @Override
    public long mkUffdWp(final long pte) {
        return wrProtect(pte | UFFD_WP);
    }

    @Override
    public long clearUffdWp(final long pte) {
        return pte & ~UFFD_WP;
    }

    @Override
    public long mkSpecial(final long pte) {
        return pte | SPECIAL;
    }

    @Override
    public long mkDevmap(final long pte) {
        return pte | devmapAndSpecial;
    }

    @Override
    public long mkExec(final long pte) {
        return pte & ~NO_EXECUTE;
    }

    @Override
    public long hardwareAccessed(final long pte, final boolean write) {
        return pte | (write ? ACCESSED | DIRTY : ACCESSED);
    }

    @Override
    public boolean permits(final long pte, final boolean write) {
        final long needed = write ? PRESENT | USER | WRITABLE : PRESENT | USER;
        return (pte & needed) == needed;
    }

    // ---- swap forms ----------------------------------------------------------------------------------------

    @Override
    public long fromSwapEntry(final long entry) {
        // Shifted up too far and down again: this drops what is above 50 bits, the generic type included.
        final long offset = (~entry << (Long.SIZE - SWAP_OFFSET_BITS)) >>> (Long.SIZE - SWAP_TYPE_SHIFT);
        return offset | ((entry >>> SwapEntry.TYPE_SHIFT) << SWAP_TYPE_SHIFT);
    }

    @Override
    public long toSwapEntry(final long pte) {
        // The flags need no clearing first: they are below the offset.
        final long offset = (~pte << (Long.SIZE - SWAP_TYPE_SHIFT)) >>> (Long.SIZE - SWAP_OFFSET_BITS);
        return offset | ((pte >>> SWAP_TYPE_SHIFT) << SwapEntry.TYPE_SHIFT);
    }

    @Override
    public boolean isSwapSoftDirty(final long pte) {
        return (pte & SWAP_SOFT_DIRTY) != 0;
    }

    @Override
    public long mkSwapSoftDirty(final long pte) {
        return pte | SWAP_SOFT_DIRTY;
    }

    @Override
    public long clearSwapSoftDirty(final long pte) {
        return pte & ~SWAP_SOFT_DIRTY;
    }

    @Override
    public boolean isSwapUffdWp(final long pte) {
        return (pte & SWAP_UFFD_WP) != 0;
    }

    @Override
    public long mkSwapUffdWp(final long pte) {
        return pte | SWAP_UFFD_WP;
    }

    @Override
    public long clearSwapUffdWp(final long pte) {
        return pte & ~SWAP_UFFD_WP;
    }

    @Override
    public boolean isSwapExclusive(final long pte) {
        return (pte & SWAP_EXCLUSIVE) != 0;
    }

    @Override
    public long mkSwapExclusive(final long pte) {
        return pte | SWAP_EXCLUSIVE;
    }

    @Override
    public long clearSwapExclusive(final long pte) {
        return pte & ~SWAP_EXCLUSIVE;
    }

    // ---- the two peculiarities -----------------------------------------------------------------------------

    /** {@code protnone_mask}: all ones if the address bits of this word are complemented, else 0. */
    private static long inversion(final long word) {
        return word == 0 ? 0 : (word & PRESENT) - 1;
    }

    /** {@code mksaveddirty_shift}: if not writable, moves dirty from bit 6 to bit 58. */
    private static long saveDirty(final long pte) {
        final long move = ((~pte >>> WRITABLE_BIT) & (pte >>> DIRTY_BIT)) & 1;
        return (pte | (move << SAVED_DIRTY_BIT)) & ~(move << DIRTY_BIT);
    }

    /** {@code clear_saveddirty_shift}: if writable, moves dirty from bit 58 to bit 6. */
    private static long restoreDirty(final long pte) {
        final long move = ((pte >>> WRITABLE_BIT) & (pte >>> SAVED_DIRTY_BIT)) & 1;
        return (pte | (move << DIRTY_BIT)) & ~(move << SAVED_DIRTY_BIT);
    }

    private static long[] protectionMap() {
        final long[] map = new long[16];
        for (int flags = 0; flags < map.length; flags++) {
            map[flags] = protectionOf(flags);
        }
        return map;
    }

    private static long protectionOf(final long flags) {
        if ((flags & (VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC)) == 0) {
            return NO_ACCESS | ACCESSED;
        }
        long protection = PRESENT | USER | ACCESSED;
        if ((flags & VmFlags.EXEC) == 0) {
            protection |= NO_EXECUTE;
        }
        // A private mapping starts read-only even if it may be written: the first write copies the page.
        final long sharedWrite = VmFlags.SHARED | VmFlags.WRITE;
        return (flags & sharedWrite) == sharedWrite ? protection | WRITABLE : protection;
    }
}
