package mmutex.layout.golden;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.SwapTypes;

/**
 * Compares an encoding with golden values, row by row and cell by cell.
 *
 * <p>The {@code raw} cell is compared with what the row's operation gives; all other results are accessors applied to
 * the {@code raw} of the file, so that one wrong operation is one mismatch. Mismatches are collected; a column,
 * operation or flag that is not known is an {@link IllegalArgumentException}.
 *
 * <p>Stateless between calls; any thread may call.
 */
public final class GoldenChecker {
    private final PteEncoding encoding;
    private final GoldenOperation operation;

    /** Creates a checker for one encoding. */
    public GoldenChecker(final PteEncoding encoding) {
        this.encoding = encoding;
        this.operation = new GoldenOperation(encoding);
    }

    /** Checks every row. */
    public GoldenReport check(final GoldenVectors vectors) {
        final List<GoldenMismatch> mismatches = new ArrayList<>();
        int checks = 0;
        for (final GoldenRow row : vectors.rows()) {
            for (final String column : vectors.columns()) {
                if (!isInput(column) && row.has(column)) {
                    checks++;
                    check(row, column, mismatches);
                }
            }
        }
        return new GoldenReport(vectors.file(), vectors.rows().size(), checks, List.of(), List.copyOf(mismatches));
    }

    private static boolean isInput(final String column) {
        return switch (column) {
            case "id", "arch", "group", "op", "in_raw", "in_type", "in_value", "in_prot", "in_flags" -> true;
            default -> false;
        };
    }

    private void check(final GoldenRow row, final String column, final List<GoldenMismatch> mismatches) {
        final String expected = row.text(column);
        if (column.equals("kind")) {
            final String actual = nameOf(encoding.kind(row.number("raw")));
            if (!actual.equals(expected)) {
                mismatches.add(new GoldenMismatch(row.file(), row.id(), column, expected, actual));
            }
            return;
        }
        final long actual = value(row, column);
        if (actual != row.number(column)) {
            final String text = expected.startsWith("0x") ? "0x" + Long.toHexString(actual) : Long.toString(actual);
            mismatches.add(new GoldenMismatch(row.file(), row.id(), column, expected, text));
        }
    }

    private long value(final GoldenRow row, final String column) {
        final long pte = row.number("raw");
        return switch (column) {
            case "raw" -> operation.apply(row);
            case "pte_none" -> bit(encoding.isNone(pte));
            case "pte_present" -> bit(encoding.isPresent(pte));
            case "is_swap_pte" -> bit(encoding.isSwapForm(pte));
            case "pte_write" -> bit(encoding.isWritable(pte));
            case "pte_dirty" -> bit(encoding.isDirty(pte));
            case "pte_young" -> bit(encoding.isYoung(pte));
            case "pte_soft_dirty" -> bit(encoding.isSoftDirty(pte));
            case "pte_uffd_wp" -> bit(encoding.isUffdWp(pte));
            case "pte_special" -> bit(encoding.isSpecial(pte));
            case "pte_devmap" -> bit(encoding.isDevmap(pte));
            case "pte_exec" -> bit(encoding.isExecutable(pte));
            case "pte_protnone" -> bit(encoding.isNoAccess(pte));
            case "pte_pfn" -> encoding.frameNumber(pte);
            case "pte_swp_soft_dirty" -> bit(encoding.isSwapSoftDirty(pte));
            case "pte_swp_uffd_wp" -> bit(encoding.isSwapUffdWp(pte));
            case "pte_swp_exclusive" -> bit(encoding.isSwapExclusive(pte));
            case "folio_mark_dirty" -> bit(encoding.isDirty(row.number("in_raw")));
            case "exclusive_valid" -> bit(encoding.isWritable(row.number("in_raw")));
            default -> swapValue(row, column, encoding.toSwapEntry(pte));
        };
    }

    /** The columns that look at the architecture-independent entry. */
    private long swapValue(final GoldenRow row, final String column, final long entry) {
        final SwapTypes types = operation.types(row);
        return switch (column) {
            case "swp_entry" -> entry;
            case "swp_type" -> SwapEntry.type(entry);
            case "swp_offset" -> SwapEntry.offset(entry);
            case "non_swap_entry" -> bit(SwapEntry.type(entry) >= types.maxSwapFiles());
            case "is_pfn_swap_entry" -> bit(types.carriesFrameNumber(entry));
            case "swp_offset_pfn" -> types.frameNumber(entry);
            case "is_migration_entry_young" -> bit(types.isMigrationYoung(entry));
            case "is_migration_entry_dirty" -> bit(types.isMigrationDirty(entry));
            case "pte_marker_get" -> types.markerBits(entry);
            default -> bit(is(row, column, types.kindOf(SwapEntry.type(entry))));
        };
    }

    private static boolean is(final GoldenRow row, final String column, final PteKind kind) {
        return switch (column) {
            case "is_device_private_entry" -> kind.isDevicePrivate();
            case "is_writable_device_private_entry" -> kind == PteKind.DEVICE_PRIVATE_WRITE;
            case "is_device_exclusive_entry" -> kind.isDeviceExclusive();
            case "is_writable_device_exclusive_entry" -> kind == PteKind.DEVICE_EXCLUSIVE_WRITE;
            case "is_migration_entry" -> kind.isMigration();
            case "is_readable_migration_entry" -> kind == PteKind.MIGRATION_READ;
            case "is_readable_exclusive_migration_entry" -> kind == PteKind.MIGRATION_READ_EXCLUSIVE;
            case "is_writable_migration_entry" -> kind == PteKind.MIGRATION_WRITE;
            case "is_hwpoison_entry" -> kind == PteKind.HWPOISON;
            case "is_pte_marker_entry" -> kind == PteKind.MARKER;
            default -> throw row.problem("unknown column", column);
        };
    }

    private static String nameOf(final PteKind kind) {
        return switch (kind) {
            case MIGRATION_READ -> "migration_r";
            case MIGRATION_READ_EXCLUSIVE -> "migration_re";
            case MIGRATION_WRITE -> "migration_w";
            case DEVICE_PRIVATE_WRITE -> "device_private_w";
            case DEVICE_PRIVATE_READ -> "device_private_r";
            case DEVICE_EXCLUSIVE_WRITE -> "device_exclusive_w";
            case DEVICE_EXCLUSIVE_READ -> "device_exclusive_r";
            case UNASSIGNED -> "unassigned_type";
            default -> kind.name().toLowerCase(Locale.ROOT);
        };
    }

    private static long bit(final boolean value) {
        return value ? 1 : 0;
    }
}
