package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Vma;

/** Checks that every range system call makes first. */
final class Ranges {
    private Ranges() {}

    /** EINVAL for a misaligned start, ENOMEM for a range that wraps or leaves the address space. */
    static Errno check(final AddressSpace space, final long start, final long length) {
        if ((start & space.pageSize() - 1) != 0) {
            return Errno.EINVAL;
        }
        final long limit = space.addressLimit();
        final boolean inside = start >= 0 && start <= limit && length >= 0 && length <= limit - start;
        return inside ? Errno.OK : Errno.ENOMEM;
    }

    /** vm_ops-&gt;may_split: a VMA of huge pages is divided between them only. Without a VMA there, yes. */
    static boolean maySplit(final AddressSpace space, final long addr) {
        final Vma vma = space.vmas().lookup(addr);
        return vma == null
                || vma.start() == addr
                || !vma.has(VmFlags.HUGETLB)
                || space.platform().hugePages().isAligned(addr);
    }

    static long pageAligned(final AddressSpace space, final long length) {
        return length + space.pageSize() - 1 & -space.pageSize();
    }
}
