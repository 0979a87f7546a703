package mmutex.layout.golden;

import java.util.List;
import java.util.Set;
import mmutex.layout.KernelGeneration;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.SwapTypes;
import mmutex.layout.VmFlags;

/**
 * Repeats on an encoding what the kernel did to produce a row: {@code op} applied to the {@code in_} columns.
 *
 * <p>Operations and flags that it does not know are errors, so that a row is never passed over.
 */
final class GoldenOperation {
    private static final String MODIFY = "pte_modify:";
    private static final List<String> NONE = List.of();
    private static final List<String> SWAP_FLAGS = List.of("soft_dirty", "uffd_wp", "exclusive");
    private static final List<String> MIGRATION_FLAGS =
            List.of("soft_dirty", "uffd_wp", "young", "dirty", "ad_unsupported");
    private static final List<String> PRESENT_FLAGS =
            List.of("young", "write", "dirty", "soft_dirty", "uffd_wp", "special", "devmap");
    private static final List<String> RESTORE_FLAGS = List.of("folio_dirty", "may_write");

    private final PteEncoding encoding;
    private final SwapTypes typesWithoutYoungDirty;

    GoldenOperation(final PteEncoding encoding) {
        this.encoding = encoding;
        this.typesWithoutYoungDirty = new SwapTypes(encoding.types().spec().withSwapFilePagesMax(0));
    }

    /** The numbering that a row was made with: the encoding's own, or without young and dirty of migration. */
    SwapTypes types(final GoldenRow row) {
        return row.text("in_flags").contains("ad_unsupported") ? typesWithoutYoungDirty : encoding.types();
    }

    /** The entry that the row's operation gives. */
    long apply(final GoldenRow row) {
        final String op = row.text("op");
        return switch (op) {
            case "pfn_pte" -> present(row, NONE);
            case "mk_present" -> present(row, PRESENT_FLAGS);
            case "make_device_exclusive_entry" -> frame(row, PteKind.DEVICE_EXCLUSIVE);
            case "make_readable_device_exclusive_entry" -> frame(row, PteKind.DEVICE_EXCLUSIVE_READ);
            case "make_writable_device_exclusive_entry" -> frame(row, PteKind.DEVICE_EXCLUSIVE_WRITE);
            case "make_readable_device_private_entry" -> frame(row, PteKind.DEVICE_PRIVATE_READ);
            case "make_writable_device_private_entry" -> frame(row, PteKind.DEVICE_PRIVATE_WRITE);
            case "make_readable_migration_entry" -> migration(row, PteKind.MIGRATION_READ);
            case "make_readable_exclusive_migration_entry" -> migration(row, PteKind.MIGRATION_READ_EXCLUSIVE);
            case "make_writable_migration_entry" -> migration(row, PteKind.MIGRATION_WRITE);
            case "swp_entry(SWP_HWPOISON)" -> frame(row, PteKind.HWPOISON);
            case "swp_entry_to_pte" -> swap(row);
            case "make_pte_marker" -> encoding.fromSwapEntry(encoding.types().marker(row.number("in_value")));
            case "restore_exclusive" -> restoreExclusive(row);
            default -> {
                row.flags(NONE);
                yield change(op, row.number("in_raw"), row);
            }
        };
    }

    /** The operations from one entry to another that take nothing else. */
    private long change(final String op, final long pte, final GoldenRow row) {
        return switch (op) {
            case "decode" -> pte;
            case "make_device_exclusive" -> encoding.makeExclusive(pte);
            case "downgrade_exclusive" -> encoding.downgradeExclusive(pte);
            case "pte_mkyoung" -> encoding.mkYoung(pte);
            case "pte_mkold" -> encoding.mkOld(pte);
            case "pte_mkdirty" -> encoding.mkDirty(pte);
            case "pte_mkclean" -> encoding.mkClean(pte);
            case "pte_mkwrite" -> encoding.mkWrite(pte);
            case "pte_wrprotect" -> encoding.wrProtect(pte);
            case "pte_mksoft_dirty" -> encoding.mkSoftDirty(pte);
            case "pte_clear_soft_dirty" -> encoding.clearSoftDirty(pte);
            case "pte_mkuffd_wp" -> encoding.mkUffdWp(pte);
            case "pte_clear_uffd_wp" -> encoding.clearUffdWp(pte);
            case "pte_mkspecial" -> encoding.mkSpecial(pte);
            case "pte_mkdevmap" -> encoding.mkDevmap(pte);
            case "pte_swp_mksoft_dirty" -> encoding.mkSwapSoftDirty(pte);
            case "pte_swp_clear_soft_dirty" -> encoding.clearSwapSoftDirty(pte);
            case "pte_swp_mkuffd_wp" -> encoding.mkSwapUffdWp(pte);
            case "pte_swp_clear_uffd_wp" -> encoding.clearSwapUffdWp(pte);
            case "pte_swp_mkexclusive" -> encoding.mkSwapExclusive(pte);
            case "pte_swp_clear_exclusive" -> encoding.clearSwapExclusive(pte);
            case "pte_swp_clear_flags" -> encoding.clearSwapFlags(pte);
            default -> modify(op, pte, row);
        };
    }

    private long modify(final String op, final long pte, final GoldenRow row) {
        if (!op.startsWith(MODIFY)) {
            throw row.problem("unknown operation", "op");
        }
        return encoding.modify(pte, encoding.protection(row.vmFlags(op.substring(MODIFY.length()), "op")));
    }

    /** {@code pfn_pte} alone, or {@code mk_present}: the modifiers in a fixed order, since they are not independent. */
    private long present(final GoldenRow row, final List<String> allowedFlags) {
        final Set<String> flags = row.flags(allowedFlags);
        long pte = encoding.present(row.number("in_value"), encoding.protection(row.vmFlags()));
        if (allowedFlags.isEmpty()) {
            return pte;
        }
        pte = encoding.mkClean(encoding.mkOld(pte));
        pte = flags.contains("young") ? encoding.mkYoung(pte) : pte;
        pte = flags.contains("write") ? encoding.mkWrite(pte) : pte;
        pte = flags.contains("dirty") ? encoding.mkDirty(pte) : pte;
        pte = flags.contains("soft_dirty") ? encoding.mkSoftDirty(pte) : encoding.clearSoftDirty(pte);
        pte = flags.contains("uffd_wp") ? encoding.mkUffdWp(pte) : pte;
        pte = flags.contains("special") ? encoding.mkSpecial(pte) : pte;
        return flags.contains("devmap") ? encoding.mkDevmap(pte) : pte;
    }

    private long swap(final GoldenRow row) {
        final long entry = SwapEntry.of((int) row.number("in_type"), row.number("in_value"));
        return withSwapFlags(entry, row.flags(SWAP_FLAGS));
    }

    private long frame(final GoldenRow row, final PteKind kind) {
        final int type = encoding.types().typeOf(kind);
        return withSwapFlags(SwapEntry.of(type, row.number("in_value")), row.flags(SWAP_FLAGS));
    }

    private long migration(final GoldenRow row, final PteKind kind) {
        final Set<String> flags = row.flags(MIGRATION_FLAGS);
        final SwapTypes types = types(row);
        long entry = SwapEntry.of(types.typeOf(kind), row.number("in_value"));
        entry = flags.contains("young") ? types.mkMigrationYoung(entry) : entry;
        entry = flags.contains("dirty") ? types.mkMigrationDirty(entry) : entry;
        return withSwapFlags(entry, flags);
    }

    private long withSwapFlags(final long entry, final Set<String> flags) {
        long pte = encoding.fromSwapEntry(entry);
        pte = flags.contains("soft_dirty") ? encoding.mkSwapSoftDirty(pte) : pte;
        pte = flags.contains("uffd_wp") ? encoding.mkSwapUffdWp(pte) : pte;
        return flags.contains("exclusive") ? encoding.mkSwapExclusive(pte) : pte;
    }

    private long restoreExclusive(final GoldenRow row) {
        final boolean byEntry = encoding.types().generation() == KernelGeneration.V6_12;
        final Set<String> flags = row.flags(byEntry ? NONE : RESTORE_FLAGS);
        final long entry = row.number("in_raw");
        final long protection = encoding.protection(row.vmFlags());
        final boolean mappingWritable = (row.vmFlags() & VmFlags.WRITE) != 0;
        if (byEntry) {
            return encoding.restoreExclusiveByEntry(entry, protection, mappingWritable);
        }
        final long pte = encoding.restoreExclusiveReadOnly(entry, protection);
        return mappingWritable && flags.contains("may_write")
                ? encoding.grantWrite(pte, flags.contains("folio_dirty"))
                : pte;
    }
}
