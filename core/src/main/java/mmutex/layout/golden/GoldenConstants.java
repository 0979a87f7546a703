package mmutex.layout.golden;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongUnaryOperator;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.SwapTypes;
import mmutex.layout.SwapTypesSpec;
import mmutex.layout.VmFlags;

/**
 * Compares an encoding with the constants of a target: {@code arch,name,hex,dec}.
 *
 * <p>Masks are measured, as they were in the kernel: apply a modifier, see which bits change. Constants about things that
 * {@link PteEncoding} does not describe (larger leaves, memory types, byte order) are listed as not applicable; one that
 * is in neither list is an {@link IllegalArgumentException}.
 */
public final class GoldenConstants {
    private static final long SOME_FRAME = 0x12345;
    private static final int LINUX_TYPE_BITS = 5;

    private final PteEncoding encoding;
    private final SwapTypes types;

    /** Creates a checker for one encoding. */
    public GoldenConstants(final PteEncoding encoding) {
        this.encoding = encoding;
        this.types = encoding.types();
    }

    /** Checks every constant that this can know. */
    public GoldenReport check(final GoldenVectors constants) {
        final List<GoldenMismatch> mismatches = new ArrayList<>();
        final List<String> notApplicable = new ArrayList<>();
        for (final GoldenRow row : constants.rows()) {
            final OptionalLong actual = value(row);
            if (actual.isEmpty()) {
                notApplicable.add(row.text("name"));
            } else if (actual.getAsLong() != row.number("hex")) {
                final String text = "0x" + Long.toHexString(actual.getAsLong());
                mismatches.add(new GoldenMismatch(row.file(), row.id(), "hex", row.text("hex"), text));
            }
        }
        final int rows = constants.rows().size();
        return new GoldenReport(
                constants.file(), rows, rows - notApplicable.size(), List.copyOf(notApplicable), mismatches);
    }

    private OptionalLong value(final GoldenRow row) {
        final String name = row.text("name");
        if (name.startsWith("SWP_") || name.startsWith("MAX_SWAPFILES")) {
            return OptionalLong.of(number(row, name));
        }
        if (name.startsWith("value:vm_get_page_prot(")) {
            final String protection = name.substring(name.indexOf('(') + 1, name.length() - 1);
            return OptionalLong.of(encoding.protection(row.vmFlags(protection, "name")));
        }
        return switch (name) {
            // On for a kernel that has no bit for it (riscv64 without its extension); the masks tell what there is.
            case "CONFIG_MEM_SOFT_DIRTY", "CONFIG_HAVE_ARCH_USERFAULTFD_WP" -> OptionalLong.empty();
            case "mask:pte_mkhuge", "mask:pte_mkcont", "CONT_PTES", "mask:pte_mkinvalid" -> OptionalLong.empty();
            case "_PAGE_INVALID", "_PAGE_PTE", "_PAGE_NAPOT" -> OptionalLong.empty();
            case "_PAGE_NOCACHE_SVPBMT", "_PAGE_IO_SVPBMT" -> OptionalLong.empty();
            case "value:pte_mknapot(pfn=0x12340;order=4)", "in_memory_byte_swapped" -> OptionalLong.empty();
            default -> name.startsWith("l1tf_") ? OptionalLong.empty() : OptionalLong.of(measured(row, name));
        };
    }

    /** Numbers of types, and places inside an offset. */
    private long number(final GoldenRow row, final String name) {
        return switch (name) {
            case "SWP_TYPE_SHIFT" -> SwapEntry.TYPE_SHIFT;
            case "SWP_PFN_BITS" -> types.frameNumberBits();
            case "SWP_MIG_YOUNG_BIT" -> types.migrationYoungBit();
            case "SWP_MIG_DIRTY_BIT" -> types.migrationDirtyBit();
            case "SWP_MIG_TOTAL_BITS" -> types.migrationDirtyBit() + 1;
            case "MAX_SWAPFILES_SHIFT" -> LINUX_TYPE_BITS;
            case "MAX_SWAPFILES" -> types.maxSwapFiles();
            case "SWP_HWPOISON" -> types.typeOf(PteKind.HWPOISON);
            case "SWP_MIGRATION_READ" -> types.typeOf(PteKind.MIGRATION_READ);
            case "SWP_MIGRATION_READ_EXCLUSIVE" -> types.typeOf(PteKind.MIGRATION_READ_EXCLUSIVE);
            case "SWP_MIGRATION_WRITE" -> types.typeOf(PteKind.MIGRATION_WRITE);
            case "SWP_DEVICE_WRITE" -> types.typeOf(PteKind.DEVICE_PRIVATE_WRITE);
            case "SWP_DEVICE_READ" -> types.typeOf(PteKind.DEVICE_PRIVATE_READ);
            case "SWP_DEVICE_EXCLUSIVE_WRITE" -> types.typeOf(PteKind.DEVICE_EXCLUSIVE_WRITE);
            case "SWP_DEVICE_EXCLUSIVE_READ" -> types.typeOf(PteKind.DEVICE_EXCLUSIVE_READ);
            case "SWP_DEVICE_EXCLUSIVE" -> types.typeOf(PteKind.DEVICE_EXCLUSIVE);
            case "SWP_PTE_MARKER" -> types.typeOf(PteKind.MARKER);
            default -> throw row.problem("unknown constant", "name");
        };
    }

    private long measured(final GoldenRow row, final String name) {
        final SwapTypesSpec spec = types.spec();
        final long offsetMask = spec.swapFilePagesMax() - 1;
        final long lowest = encoding.fromSwapEntry(SwapEntry.of(0, 0));
        final long highest = encoding.fromSwapEntry(SwapEntry.of(0, offsetMask));
        final int offsetBits = Long.bitCount(offsetMask);
        return switch (name) {
            case "PAGE_SHIFT" -> encoding.pageShift();
            case "MAX_PHYSMEM_BITS" -> types.frameNumberBits() + encoding.pageShift();
            case "PRESENT_PFN_FIELD_BITS" -> presentFrameBits();
            case "ARCH_SWP_OFFSET_BITS" -> offsetBits;
            case "GENERIC_MAX_SWAPFILE_SIZE" -> spec.swapFilePagesMax();
            case "CONFIG_MIGRATION" -> bit(spec.migration());
            case "CONFIG_DEVICE_PRIVATE" -> bit(spec.devicePrivate());
            case "CONFIG_MEMORY_FAILURE" -> bit(spec.memoryFailure());
            case "CONFIG_ARCH_HAS_PTE_DEVMAP" -> bit(changed(encoding::mkDevmap, false) != 0);
            case "swap_migration_ad_supported" -> bit(types.tracksMigrationYoungDirty());
            case "empty:swp_entry_to_pte(type=0;offset=max)" -> bit(encoding.isNone(highest));
            case "empty:swp_entry_to_pte(type=0;offset=0)" -> bit(encoding.isNone(lowest));
            case "value:swp_entry_to_pte(type=0;offset=0)" -> lowest;
            case "value:empty_entry" -> encoding.empty();
            case "mask:swp_type_field" -> lowest ^ encoding.fromSwapEntry(SwapEntry.of((1 << LINUX_TYPE_BITS) - 1, 0));
            case "mask:swp_offset_field" -> lowest ^ highest;
            case "mask:pte_swp_mksoft_dirty" -> lowest ^ encoding.mkSwapSoftDirty(lowest);
            case "mask:pte_swp_mkuffd_wp" -> lowest ^ encoding.mkSwapUffdWp(lowest);
            case "mask:pte_swp_mkexclusive" -> lowest ^ encoding.mkSwapExclusive(lowest);
            case "mask:pfn_field" -> presentFrameMask();
            case "mask:pte_mkyoung" -> changed(encoding::mkYoung, false);
            case "mask:pte_mkwrite" -> changed(encoding::mkWrite, false);
            case "mask:pte_mkdirty@readonly" -> changed(encoding::mkDirty, false);
            case "mask:pte_mkdirty@writable" -> changed(encoding::mkDirty, true);
            case "mask:pte_mksoft_dirty" -> changed(encoding::mkSoftDirty, false);
            case "mask:pte_mkuffd_wp" -> changed(encoding::mkUffdWp, false);
            case "mask:pte_mkspecial" -> changed(encoding::mkSpecial, false);
            case "mask:pte_mkdevmap" -> changed(encoding::mkDevmap, false);
            default -> throw row.problem("unknown constant", "name");
        };
    }

    /** Which bits a modifier changes in an old, clean entry. */
    private long changed(final LongUnaryOperator modifier, final boolean writable) {
        final long readOnly = encoding.clearSoftDirty(encoding.mkClean(encoding.mkOld(readable(SOME_FRAME))));
        final long base = writable ? encoding.mkWrite(readOnly) : readOnly;
        return base ^ modifier.applyAsLong(base);
    }

    /** How many bits of a frame number come back from a present entry. */
    private int presentFrameBits() {
        return Long.bitCount(encoding.frameNumber(readable(-1L >>> encoding.pageShift())));
    }

    private long presentFrameMask() {
        long mask = 0;
        for (int bit = 0; bit < presentFrameBits(); bit++) {
            mask |= readable(0) ^ readable(1L << bit);
        }
        return mask;
    }

    private long readable(final long frameNumber) {
        return encoding.present(frameNumber, encoding.protection(VmFlags.READ));
    }

    private static long bit(final boolean value) {
        return value ? 1 : 0;
    }
}
