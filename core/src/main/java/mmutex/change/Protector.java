package mmutex.change;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.MprotectUpgrade;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.mm.WriteUpgrade;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/** mprotect: mm/mprotect.c (6.12), semantics 3.14. No page lock is taken. */
public final class Protector {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);
    private static final long ACCESS = VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC;

    /** Why entries change: MM_CP_UFFD_WP and MM_CP_UFFD_WP_RESOLVE, or neither. */
    enum Request {
        /** The VMA's protection has changed. */
        PROTECTION,
        /** A user's handler wants to know of writes. */
        WRITE_PROTECT,
        /** It no longer does. */
        RESOLVE
    }

    private Protector() {}

    /**
     * Changes the protection of a range. VMAs before a hole are changed although the call fails.
     *
     * @param protection READ, WRITE and EXEC of {@link VmFlags}
     * @return OK; EINVAL for a misaligned start, ENOMEM for a hole, EACCES if a mapping may not have the protection
     */
    public static Errno protect(
            final Task task, final AddressSpace space, final long start, final long length, final long protection) {
        final Errno refused = Ranges.check(space, start, length);
        if (refused != Errno.OK || length == 0) {
            return refused;
        }
        final long end = start + Ranges.pageAligned(space, length);
        space.mmapLock().writeLock(task);
        final Errno result = protectLocked(task, space, start, end, protection);
        space.mmapLock().writeUnlock(task);
        return result;
    }

    /** uffd_wp_range: write-protects the pages of a part of a VMA for a handler; mmap lock held, shared suffices. */
    static void writeProtect(final Task task, final Vma vma, final long start, final long end) {
        changeProtection(task, vma, start, end, Request.WRITE_PROTECT);
    }

    /** Undoes {@link #writeProtect}. */
    static void resolveWriteProtection(final Task task, final Vma vma, final long start, final long end) {
        changeProtection(task, vma, start, end, Request.RESOLVE);
    }

    private static Errno protectLocked(
            final Task task, final AddressSpace space, final long start, final long end, final long protection) {
        long addr = start;
        while (addr < end) {
            final Vma vma = space.vmas().lookup(addr);
            if (vma == null) {
                return Errno.ENOMEM;
            }
            final long to = Math.min(vma.end(), end);
            final long vmaFlags = vma.flags();
            final long newFlags = vmaFlags & ~ACCESS | protection;
            if (!Ranges.maySplit(space, addr) || !Ranges.maySplit(space, to)) {
                return Errno.EINVAL;
            }
            if ((protection & ~(vmaFlags >>> 4) & ACCESS) != 0) {
                return Errno.EACCES;
            }
            // 1. No change of flags: no event, device mappings stay.
            if (newFlags != vmaFlags) {
                final Vma changed = space.editor().modify(task, vma, addr, to, accounted(vma, newFlags));
                changeProtection(task, changed, addr, to, Request.PROTECTION);
                // Locked memory that becomes writable is copied at once, so that no write has to wait.
                if ((vmaFlags & (VmFlags.WRITE | VmFlags.SHARED | VmFlags.LOCKED)) == VmFlags.LOCKED
                        && (newFlags & VmFlags.WRITE) != 0) {
                    Populator.populateLocked(task, changed, addr, to);
                }
            }
            addr = to;
        }
        return Errno.OK;
    }

    /**
     * Memory that becomes writable is accounted for, and stays so once it has pages. It is a flag like others: neighbours
     * that differ in it are not merged.
     */
    private static long accounted(final Vma vma, final long newFlags) {
        if ((newFlags & VmFlags.WRITE) != 0) {
            final boolean never = (vma.flags() & (VmFlags.WRITE | VmFlags.SHARED | VmFlags.HUGETLB)) != 0;
            return never ? newFlags : newFlags | VmFlags.ACCOUNT;
        }
        final boolean given =
                vma.space().platform().profile().mprotectUnaccounts() && vma.isAnonymous() && vma.anonVma() == null;
        return given ? newFlags & ~VmFlags.ACCOUNT : newFlags;
    }

    /** change_protection. The span begins at the first upper entry that leads to a table; none if there is none. */
    private static void changeProtection(
            final Task task, final Vma vma, final long start, final long end, final Request request) {
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final int level = space.platform().profile().mprotectNotifyLevel();
        final long endPage = end >>> space.pageShift();
        // The kernel opens one span per table of the level above.
        long page = start >>> space.pageShift();
        while (page < endPage) {
            final long groupEnd = radix.entryEnd(page, level + 1, endPage);
            while (page < groupEnd && !radix.isPopulated(page, level)) {
                page = radix.entryEnd(page, level, groupEnd);
            }
            if (page < groupEnd) {
                changeSpan(task, vma, page, groupEnd, request);
            }
            page = groupEnd;
        }
    }

    private static void changeSpan(
            final Task task, final Vma vma, final long firstPage, final long endPage, final Request request) {
        final AddressSpace space = vma.space();
        final RadixTable radix = space.pageTable().radix();
        final NotifierRange range = RANGE.of(task)
                .init(NotifierEvent.PROTECTION_VMA, firstPage << space.pageShift(), endPage << space.pageShift());
        space.notifiers().start(task, range);
        boolean flush = false;
        long page = radix.nextPopulated(firstPage, endPage);
        while (page < endPage) {
            final long tableEnd = radix.leafEnd(page, endPage);
            final boolean whole = HugePmds.splitUnlessWhole(task, space, page, tableEnd);
            flush |= whole && HugePmds.protect(task, vma, page, request)
                    || changeTable(task, vma, page, tableEnd, request);
            page = radix.nextPopulated(tableEnd, endPage);
        }
        if (flush) {
            space.windows().flush(task);
        }
        space.notifiers().end(task, range);
    }

    /** change_pte_range; returns whether a shoot-down is due. */
    private static boolean changeTable(
            final Task task, final Vma vma, final long firstPage, final long endPage, final Request request) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long firstSlot = table.radix().slot(firstPage);
        if (firstSlot < 0) {
            return false; // a huge entry, that somebody else has cleared meanwhile
        }
        boolean flush = false;
        table.lock(task, firstSlot);
        for (long page = firstPage, slot = firstSlot; page < endPage; page++, slot += Long.BYTES) {
            final long pte = table.load(slot);
            if (encoding.isPresent(pte)) {
                changePresent(vma, table, slot, pte, request);
                flush = true;
            } else if (!encoding.isNone(pte)) {
                changeSpecial(space, table, slot, pte);
                DeviceEntries.protect(vma, slot, pte);
                markSpecial(encoding, table, slot, request);
            }
        }
        table.unlock(task, firstSlot);
        return flush;
    }

    /** Hardware may set bits in the entry meanwhile: compare-and-set until none came between. */
    private static void changePresent(
            final Vma vma, final PageTable table, final long slot, final long first, final Request request) {
        final PteEncoding encoding = vma.space().encoding();
        long pte = first;
        while (true) {
            long changed = encoding.modify(pte, vma.protection());
            if (request == Request.WRITE_PROTECT) {
                changed = encoding.mkUffdWp(changed);
            } else if (request == Request.RESOLVE) {
                changed = encoding.clearUffdWp(changed);
            }
            if (request != Request.WRITE_PROTECT
                    && isUpgradable(vma)
                    && !encoding.isWritable(changed)
                    && mayUpgrade(vma, changed)) {
                changed = encoding.mkWrite(changed);
            }
            if (table.compareAndSet(slot, pte, changed)) {
                return;
            }
            pte = table.load(slot);
        }
    }

    /** vma_wants_manual_pte_write_upgrade: elsewhere the base protection says all. */
    private static boolean isUpgradable(final Vma vma) {
        return vma.has(VmFlags.WRITE) && !vma.has(VmFlags.HUGETLB);
    }

    private static boolean mayUpgrade(final Vma vma, final long pte) {
        final MprotectUpgrade upgrade = vma.space().platform().profile().mprotectUpgrade();
        return upgrade != MprotectUpgrade.NEVER
                && (upgrade == MprotectUpgrade.ALWAYS || vma.space().encoding().isDirty(pte))
                && WriteUpgrade.isPossible(vma, pte);
    }

    /** A handler's mark on an entry that is not present stays with it until the page is back. */
    private static void markSpecial(
            final PteEncoding encoding, final PageTable table, final long slot, final Request request) {
        final long pte = table.load(slot);
        if (request == Request.WRITE_PROTECT) {
            table.store(slot, encoding.mkSwapUffdWp(pte));
        } else if (request == Request.RESOLVE) {
            table.store(slot, encoding.clearSwapUffdWp(pte));
        }
    }

    /** Up to 6.14 a writable exclusive entry becomes readable, whatever the new protection; nothing ever reverts that. */
    private static void changeSpecial(
            final AddressSpace space, final PageTable table, final long slot, final long pte) {
        final SemanticProfile profile = space.platform().profile();
        if (profile.mprotectDemotesExclusive() && space.encoding().kind(pte) == PteKind.DEVICE_EXCLUSIVE_WRITE) {
            table.store(slot, space.encoding().downgradeExclusive(pte));
        }
    }
}
