package mmutex.layout;

/**
 * The bits of one architecture's leaf page-table entry, as pure functions over {@code long}.
 *
 * <p>An entry is <em>none</em>, <em>present</em> or a <em>swap form</em>; accessors of one state are meaningless on the
 * others, as in the kernel. A swap form stands for an architecture-independent {@code swp_entry_t} ({@link SwapEntry})
 * plus three flags that live in the entry alone: soft-dirty, uffd-wp and swap-exclusive.
 *
 * <p>An abstract class rather than an interface: as long as one subclass is loaded, which is the normal case, the JIT
 * binds these calls statically. Instances are immutable and may be used by any thread.
 *
 * <p>Kernel counterpart: {@code arch/*}{@code /include/asm/pgtable.h}, {@code include/linux/swapops.h} (6.12, and
 * {@code leafops.h} of 7.x). Golden values: {@code core/src/test/resources/vectors/pte}.
 */
public abstract class PteEncoding {
    private final String name;
    private final SwapTypes types;

    /**
     * Creates an encoding.
     *
     * @param name unique name as printed and accepted by the commands, for example {@code x86-64-6.12}
     * @param types numbering of the swap types in this kernel and configuration
     */
    protected PteEncoding(final String name, final SwapTypes types) {
        this.name = name;
        this.types = types;
    }

    /** Unique name, as printed and accepted by the commands. */
    public final String name() {
        return name;
    }

    /** Numbering of the swap types. */
    public final SwapTypes types() {
        return types;
    }

    @Override
    public final String toString() {
        return name;
    }

    // ---- geometry ------------------------------------------------------------------------------------------

    /** Base-2 logarithm of the page size in bytes. */
    public abstract int pageShift();

    /** Number of page-table levels. */
    public abstract int levels();

    /** Base-2 logarithm of the number of entries in a table of any level. */
    public abstract int indexBits();

    /** Number of frame-number bits that fit every kind of entry (the kernel's {@code SWP_PFN_BITS} or less). */
    public abstract int frameNumberBits();

    // ---- state ---------------------------------------------------------------------------------------------

    /** The value of an empty entry; not 0 on every architecture. */
    public abstract long empty();

    /** {@code pte_none}. */
    public abstract boolean isNone(long pte);

    /** {@code pte_present}: includes no-access mappings, which hardware refuses. */
    public abstract boolean isPresent(long pte);

    /** Neither none nor present: {@code is_swap_pte}. */
    public final boolean isSwapForm(final long pte) {
        return !isNone(pte) && !isPresent(pte);
    }

    // ---- present entries -----------------------------------------------------------------------------------

    /** {@code vm_get_page_prot}: the base protection of entries in a mapping with these {@link VmFlags}. */
    public abstract long protection(long vmFlags);

    /** {@code pfn_pte}: a present entry for a frame with a base protection. */
    public abstract long present(long frameNumber, long protection);

    /** {@code pte_modify}: the same frame and state under another protection. */
    public abstract long modify(long pte, long protection);

    /** {@code pte_pfn} of a present entry. */
    public abstract long frameNumber(long pte);

    public abstract boolean isWritable(long pte);

    public abstract boolean isDirty(long pte);

    public abstract boolean isYoung(long pte);

    public abstract boolean isSoftDirty(long pte);

    public abstract boolean isUffdWp(long pte);

    public abstract boolean isSpecial(long pte);

    public abstract boolean isDevmap(long pte);

    public abstract boolean isExecutable(long pte);

    /** {@code pte_protnone}: present for software, refused by hardware. */
    public abstract boolean isNoAccess(long pte);

    public abstract long mkYoung(long pte);

    public abstract long mkOld(long pte);

    /** {@code pte_mkdirty}: also sets soft-dirty where the architecture has it. */
    public abstract long mkDirty(long pte);

    public abstract long mkClean(long pte);

    /** {@code pte_mkwrite}. */
    public abstract long mkWrite(long pte);

    /** {@code pte_wrprotect}. */
    public abstract long wrProtect(long pte);

    public abstract long mkSoftDirty(long pte);

    public abstract long clearSoftDirty(long pte);

    /** {@code pte_mkuffd_wp}: also write-protects. */
    public abstract long mkUffdWp(long pte);

    public abstract long clearUffdWp(long pte);

    public abstract long mkSpecial(long pte);

    public abstract long mkDevmap(long pte);

    /** {@code pte_mkexec}, where an encoding distinguishes it. */
    public abstract long mkExec(long pte);

    /**
     * What the hardware walker makes of a valid entry when it grants an access: accessed is set, and for a write
     * dirty. Unlike {@link #mkDirty} this never touches soft-dirty. Callers install it by compare-and-set.
     */
    public abstract long hardwareAccessed(long pte, boolean write);

    /** Whether hardware grants an access through this entry. Any entry may be asked. */
    public abstract boolean permits(long pte, boolean write);

    // ---- swap forms ----------------------------------------------------------------------------------------

    /** {@code swp_entry_to_pte}: offsets that do not fit are cut, as in the kernel. */
    public abstract long fromSwapEntry(long entry);

    /** {@code pte_to_swp_entry}: the entry without its three flags. */
    public abstract long toSwapEntry(long pte);

    public abstract boolean isSwapSoftDirty(long pte);

    public abstract long mkSwapSoftDirty(long pte);

    public abstract long clearSwapSoftDirty(long pte);

    public abstract boolean isSwapUffdWp(long pte);

    public abstract long mkSwapUffdWp(long pte);

    public abstract long clearSwapUffdWp(long pte);

    public abstract boolean isSwapExclusive(long pte);

    public abstract long mkSwapExclusive(long pte);

    public abstract long clearSwapExclusive(long pte);

    /** {@code pte_swp_clear_flags}: without soft-dirty, uffd-wp and swap-exclusive. */
    public final long clearSwapFlags(final long pte) {
        return clearSwapExclusive(clearSwapSoftDirty(clearSwapUffdWp(pte)));
    }

    // ---- decoded view, the same for every architecture -----------------------------------------------------

    /** What the entry says. */
    public final PteKind kind(final long pte) {
        if (isPresent(pte)) {
            return PteKind.PRESENT;
        }
        return isNone(pte) ? PteKind.NONE : types.kindOf(SwapEntry.type(toSwapEntry(pte)));
    }

    /** True if the entry locks CPUs out in favour of a device. */
    public final boolean isDeviceExclusive(final long pte) {
        return isSwapForm(pte) && types.isDeviceExclusive(toSwapEntry(pte));
    }

    /** Frame number of a swap form that carries one ({@code swp_offset_pfn}). */
    public final long swapFrameNumber(final long pte) {
        return types.frameNumber(toSwapEntry(pte));
    }

    /** An entry of a kind that carries a frame number, without flags. */
    public final long frameEntry(final PteKind kind, final long frameNumber) {
        return fromSwapEntry(SwapEntry.of(types.typeOf(kind), frameNumber));
    }

    /** Frame number of an entry that leads to a frame, be it present or a swap form. */
    public final long anyFrameNumber(final long pte) {
        return isPresent(pte) ? frameNumber(pte) : swapFrameNumber(pte);
    }

    // ---- the two compositions: there is no inline for them in the kernel, both makers spell them out ---------

    /**
     * Present to exclusive. Soft-dirty and uffd-wp are carried; dirty, young and every permission but write are lost
     * (the caller has moved dirty to the frame). Kernel: {@code page_make_device_exclusive_one} (6.12),
     * {@code make_device_exclusive} (6.15, where only writable entries get here and only soft-dirty is carried).
     */
    public final long makeExclusive(final long pte) {
        long entry = frameEntry(types.exclusiveKind(isWritable(pte)), frameNumber(pte));
        if (isSoftDirty(pte)) {
            entry = mkSwapSoftDirty(entry);
        }
        if (types.hasReadableExclusive() && isUffdWp(pte)) {
            entry = mkSwapUffdWp(entry);
        }
        return entry;
    }

    /**
     * Exclusive to present, kernels up to 6.14: {@code restore_exclusive_pte} (6.12). A writable entry comes back
     * dirty even if it was never written, and so soft-dirty.
     *
     * @param entry the exclusive entry
     * @param protection base protection of the mapping
     * @param mappingWritable whether the mapping has {@link VmFlags#WRITE}
     */
    public final long restoreExclusiveByEntry(final long entry, final long protection, final boolean mappingWritable) {
        long pte = mkOld(present(swapFrameNumber(entry), protection));
        if (isSwapSoftDirty(entry)) {
            pte = mkSoftDirty(pte);
        }
        if (isSwapUffdWp(entry)) {
            return mkUffdWp(pte);
        }
        if (kind(entry) == PteKind.DEVICE_EXCLUSIVE_WRITE) {
            pte = mkDirty(pte);
            if (mappingWritable) {
                pte = mkWrite(pte);
            }
        }
        return pte;
    }

    /**
     * The first half of exclusive to present, 6.15 and later: the entry as it is before writability is decided.
     * The caller asks {@code can_change_pte_writable} with it and, if granted, applies {@link #grantWrite}.
     */
    public final long restoreExclusiveReadOnly(final long entry, final long protection) {
        long pte = mkOld(present(swapFrameNumber(entry), protection));
        if (isSwapSoftDirty(entry)) {
            pte = mkSoftDirty(pte);
        }
        if (isSwapUffdWp(entry)) {
            pte = mkUffdWp(pte);
        }
        return pte;
    }

    /** The second half of exclusive to present, 6.15 and later: dirty iff the frame is, and writable. */
    public final long grantWrite(final long pte, final boolean frameDirty) {
        return mkWrite(frameDirty ? mkDirty(pte) : pte);
    }

    /** mprotect on an exclusive entry, kernels up to 6.14: writable becomes readable, both flags are kept. */
    public final long downgradeExclusive(final long entry) {
        long readable = frameEntry(PteKind.DEVICE_EXCLUSIVE_READ, swapFrameNumber(entry));
        if (isSwapSoftDirty(entry)) {
            readable = mkSwapSoftDirty(readable);
        }
        if (isSwapUffdWp(entry)) {
            readable = mkSwapUffdWp(readable);
        }
        return readable;
    }
}
