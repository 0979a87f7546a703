package mmutex.mm;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.memory.RadixTable;

/**
 * What mincore says of a range: mm/mincore.c (6.12). Nothing is touched; exclusive and device-private pages count as there,
 * and so does a page that the file behind the mapping has in its cache.
 */
public final class Residency {
    private Residency() {}

    /**
     * Tells for each page whether an access would find it in memory.
     *
     * @param start page-aligned
     * @param pages any number, unsigned
     * @param vec receives 1 or 0 per page; on an error in the middle the pages before it have been filled in
     * @return OK; EINVAL for a misaligned start, ENOMEM for a hole or no user's addresses, EFAULT where {@code vec} ends
     */
    public static Errno read(
            final Task task, final AddressSpace space, final long start, final long pages, final byte[] vec) {
        if ((start & space.pageSize() - 1) != 0) {
            return Errno.EINVAL;
        }
        final long pagesAbove = space.addressLimit() - start >> space.pageShift();
        if (start < 0 || pagesAbove < 0 || Long.compareUnsigned(pages, pagesAbove) > 0) {
            return Errno.ENOMEM;
        }
        Errno result = Errno.OK;
        space.mmapLock().readLock(task);
        for (int i = 0; i < pages && result == Errno.OK; i++) {
            final long addr = start + ((long) i << space.pageShift());
            final Vma vma = space.vmas().lookup(addr);
            if (vma == null) {
                result = Errno.ENOMEM;
            } else if (i == vec.length) {
                result = Errno.EFAULT;
            } else {
                vec[i] = (byte) (isResident(task, vma, addr) ? 1 : 0);
            }
        }
        space.mmapLock().readUnlock(task);
        return result;
    }

    private static boolean isResident(final Task task, final Vma vma, final long addr) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = space.encoding();
        final long slot = table.slot(addr);
        if (RadixTable.isHuge(slot)) {
            return true;
        }
        if (slot == PageTable.NO_SLOT) {
            return isCached(vma, addr);
        }
        table.lock(task, slot);
        final long pte = table.load(slot);
        table.unlock(task, slot);
        final PteKind kind = encoding.kind(pte);
        return kind == PteKind.NONE ? isCached(vma, addr) : kind != PteKind.SWAP && kind != PteKind.MARKER;
    }

    /** mincore_unmapped_range: what a fault would find. */
    private static boolean isCached(final Vma vma, final long addr) {
        return !vma.isAnonymous() && vma.file().isCached(vma.linearIndex(addr));
    }
}
