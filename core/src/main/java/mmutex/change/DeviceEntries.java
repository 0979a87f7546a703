package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Vma;

/**
 * What fork and mprotect do with device-private and migration entries: copy_nonpresent_pte, mm/memory.c, and
 * change_pte_range, mm/mprotect.c (6.12); semantics 3.13 and 3.14.
 *
 * <p>A device-private entry that is made read-only loses soft-dirty, on purpose: what needs that bit does not work with
 * devices anyway.
 */
final class DeviceEntries {
    private DeviceEntries() {}

    /** fork of a device-private entry: both sides read-only, the page counted once more. Both leaf-table locks held. */
    static void forkPrivate(final Vma vma, final Vma copy, final long slot, final long childSlot, final long first) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final long pfn = encoding.swapFrameNumber(first);
        platform.frames().get(pfn);
        platform.reverseMap().add(pfn);
        platform.frames().clearBits(pfn, FrameTable.ANON_EXCLUSIVE);
        long pte = first;
        if (encoding.kind(pte) == PteKind.DEVICE_PRIVATE_WRITE && VmFlags.isCowMapping(vma.flags())) {
            pte = readOnlyPrivate(encoding, pte);
            vma.space().pageTable().store(slot, pte);
        }
        copy.space().pageTable().store(childSlot, inherited(encoding, copy, pte));
    }

    /** fork of a migration entry: both sides come back read-only. Who moves the page will find the child's as well. */
    static void forkMigration(final Vma vma, final Vma copy, final long slot, final long childSlot, final long first) {
        final PteEncoding encoding = vma.space().encoding();
        long pte = first;
        if (encoding.kind(pte) != PteKind.MIGRATION_READ && VmFlags.isCowMapping(vma.flags())) {
            pte = MigrationEntries.withFlagsOf(encoding, ofKind(encoding, PteKind.MIGRATION_READ, pte), pte);
            vma.space().pageTable().store(slot, pte);
        }
        copy.space().pageTable().store(childSlot, inherited(encoding, copy, pte));
    }

    /** mprotect: writable entries become read-only ones, whatever the new protection. Leaf-table lock held. */
    static void protect(final Vma vma, final long slot, final long pte) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final PageTable table = vma.space().pageTable();
        final PteKind kind = encoding.kind(pte);
        if (kind == PteKind.DEVICE_PRIVATE_WRITE) {
            table.store(slot, readOnlyPrivate(encoding, pte));
        } else if (kind == PteKind.MIGRATION_WRITE) {
            final boolean exclusive = platform.profile().hasAnonExclusive()
                    && platform.frames().has(encoding.swapFrameNumber(pte), FrameTable.ANON);
            final PteKind readable = exclusive ? PteKind.MIGRATION_READ_EXCLUSIVE : PteKind.MIGRATION_READ;
            table.store(slot, MigrationEntries.withFlagsOf(encoding, ofKind(encoding, readable, pte), pte));
        }
    }

    /** The same page, uffd-wp kept, soft-dirty not. */
    private static long readOnlyPrivate(final PteEncoding encoding, final long pte) {
        final long readable = encoding.frameEntry(PteKind.DEVICE_PRIVATE_READ, encoding.swapFrameNumber(pte));
        return MigrationEntries.withFlags(encoding, readable, false, encoding.isSwapUffdWp(pte));
    }

    /** The same page and hints, without flags. */
    private static long ofKind(final PteEncoding encoding, final PteKind kind, final long pte) {
        final long offset = SwapEntry.offset(encoding.toSwapEntry(pte));
        return encoding.fromSwapEntry(SwapEntry.of(encoding.types().typeOf(kind), offset));
    }

    static long inherited(final PteEncoding encoding, final Vma copy, final long pte) {
        return copy.has(VmFlags.UFFD_WP) ? pte : encoding.clearSwapUffdWp(pte);
    }
}
