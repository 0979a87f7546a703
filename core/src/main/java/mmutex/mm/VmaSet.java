package mmutex.mm;

import java.util.Arrays;

/**
 * The VMAs of an address space in address order: a sorted array that is replaced whole, so that a fault may search it
 * without the mmap lock (the kernel's maple tree under RCU).
 *
 * <p>Threads: searches from any thread; changes with the mmap lock held for writing. A search without that lock may see
 * bounds in motion; it then finds a VMA that the caller refuses after locking it, or none, and the caller falls back to
 * the mmap lock. That race is intended: {@code ORDER(vma-lookup)}.
 */
public final class VmaSet {
    private static final Vma[] EMPTY = {};

    private volatile Vma[] sorted = EMPTY;

    /** Number of VMAs. */
    public int size() {
        return sorted.length;
    }

    /** A snapshot in address order; not to be changed. */
    public Vma[] snapshot() {
        return sorted;
    }

    /** find_vma: the first VMA that ends behind the address; null if there is none. */
    public Vma find(final long addr) {
        final Vma[] vmas = sorted; // ORDER(vma-lookup): volatile, so the VMAs in it are initialised
        int low = 0;
        int high = vmas.length;
        while (low < high) {
            final int middle = (low + high) >>> 1;
            if (vmas[middle].end() > addr) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low < vmas.length ? vmas[low] : null;
    }

    /** vma_lookup: the VMA that contains the address; null if there is none. */
    public Vma lookup(final long addr) {
        final Vma vma = find(addr);
        return vma != null && vma.start() <= addr ? vma : null;
    }

    /** The VMA that ends last at or before the address; null if there is none. */
    Vma before(final long addr) {
        Vma found = null;
        for (final Vma vma : sorted) {
            if (vma.end() > addr) {
                break;
            }
            found = vma;
        }
        return found;
    }

    void insert(final Vma vma) {
        final Vma[] old = sorted;
        int at = 0;
        while (at < old.length && old[at].start() < vma.start()) {
            at++;
        }
        final Vma[] changed = new Vma[old.length + 1];
        System.arraycopy(old, 0, changed, 0, at);
        changed[at] = vma;
        System.arraycopy(old, at, changed, at + 1, old.length - at);
        sorted = changed; // ORDER(vma-lookup) volatile: the VMA is initialised before it can be found
    }

    void remove(final Vma vma) {
        final Vma[] old = sorted;
        final int at = Arrays.asList(old).indexOf(vma);
        final Vma[] changed = new Vma[old.length - 1];
        System.arraycopy(old, 0, changed, 0, at);
        System.arraycopy(old, at + 1, changed, at, old.length - 1 - at);
        sorted = changed;
        vma.detach();
    }
}
