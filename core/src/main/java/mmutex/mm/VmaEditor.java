package mmutex.mm;

import mmutex.layout.VmFlags;
import mmutex.sync.Actor;

/**
 * Splits, merges and links the VMAs of one address space, by the kernel's merging rules: same flags but soft-dirty,
 * contiguous page offset, compatible anon_vma. Which VMAs merge is visible to programs: it decides what fork copies,
 * which neighbours a conversion notifies, and which ranges are one.
 *
 * <p>Every method needs the mmap lock held for writing. Kernel counterpart: mm/vma.c (6.12).
 */
public final class VmaEditor {
    private final AddressSpace space;
    private final ReverseMap reverseMap;
    private final VmaSet vmas;

    VmaEditor(final AddressSpace space, final ReverseMap reverseMap) {
        this.space = space;
        this.reverseMap = reverseMap;
        this.vmas = space.vmas();
    }

    /** vma_merge_new_range, or a new VMA: maps an empty range. Returns the VMA that now holds it. */
    public Vma map(final Actor actor, final long start, final long end, final long flags, final long pageOffset) {
        final Vma previous = vmas.before(start);
        final Vma next = vmas.find(start);
        final boolean left = previous != null && canMergeAfter(previous, start, flags, null, pageOffset);
        final boolean right = next != null
                && canMergeBefore(next, end, flags, null, pageOffset + pages(start, end))
                && (!left || areCompatible(previous, next));
        final Vma merged;
        if (left && right) {
            merged = previous;
            lock(actor, previous);
            lock(actor, next);
            duplicateAnonVma(actor, previous, next);
            resize(actor, previous, previous.start(), next.end(), previous.pageOffset());
            remove(actor, next);
        } else if (left) {
            merged = previous;
            lock(actor, previous);
            resize(actor, previous, previous.start(), end, previous.pageOffset());
        } else if (right) {
            merged = next;
            lock(actor, next);
            resize(actor, next, start, next.end(), pageOffset);
        } else {
            merged = new Vma(space, start, end, flags, pageOffset);
            lock(actor, merged);
            vmas.insert(merged);
        }
        merged.flags(merged.flags() | VmFlags.SOFTDIRTY);
        return merged;
    }

    /**
     * vma_modify: gives a part of a VMA other flags, merging with neighbours or splitting. Returns the VMA that holds the
     * range afterwards, write-locked, its flags set.
     */
    public Vma modify(final Actor actor, final Vma vma, final long start, final long end, final long flags) {
        final Vma previous = start == vma.start() ? vmas.before(start) : null;
        final Vma next = end == vma.end() ? vmas.find(end) : null;
        final long pageOffset = vma.linearIndex(start);
        final boolean left = previous != null && canMergeAfter(previous, start, flags, vma, pageOffset);
        final boolean right = next != null
                && canMergeBefore(next, end, flags, vma, pageOffset + pages(start, end))
                && (!left || areCompatible(previous, next));
        lock(actor, vma);
        final Vma result;
        if (left && right) {
            result = previous;
            lock(actor, previous);
            lock(actor, next);
            duplicateAnonVma(actor, previous, vma.anonVma() != null ? vma : next);
            resize(actor, previous, previous.start(), next.end(), previous.pageOffset());
            remove(actor, vma);
            remove(actor, next);
        } else if (left) {
            result = previous;
            lock(actor, previous);
            duplicateAnonVma(actor, previous, vma);
            shiftBoundary(actor, previous, vma, end);
        } else if (right) {
            result = next;
            lock(actor, next);
            duplicateAnonVma(actor, next, vma);
            shiftBoundary(actor, vma, next, start);
        } else {
            result = isolate(actor, vma, start, end);
        }
        result.flags(flags);
        return result;
    }

    /** Splits so that a VMA ends at, and another begins at, an address inside one. */
    public void split(final Actor actor, final long addr) {
        final Vma vma = vmas.lookup(addr);
        if (vma != null && vma.start() < addr) {
            splitAt(actor, vma, addr);
        }
    }

    /** Takes a VMA out: unlinked from its reverse map, no longer found. */
    public void remove(final Actor actor, final Vma vma) {
        lock(actor, vma);
        vmas.remove(vma);
        reverseMap.unlink(actor, vma);
    }

    /** Adds a forked VMA to a new address space, as it is. */
    public Vma copy(final Actor actor, final Vma from, final long flags) {
        final Vma copy = new Vma(space, from.start(), from.end(), flags, from.pageOffset());
        lock(actor, copy);
        vmas.insert(copy);
        return copy;
    }

    private Vma isolate(final Actor actor, final Vma vma, final long start, final long end) {
        final Vma middle = vma.start() < start ? splitAt(actor, vma, start) : vma;
        if (end < middle.end()) {
            splitAt(actor, middle, end);
        }
        return middle;
    }

    /** __split_vma: the VMA keeps what lies below, a new one gets what lies above. Returns the new one. */
    private Vma splitAt(final Actor actor, final Vma vma, final long addr) {
        lock(actor, vma);
        PmdSplitter.splitAtBoundary(actor, vma, addr);
        final Vma above = new Vma(space, addr, vma.end(), vma.flags(), vma.linearIndex(addr));
        lock(actor, above);
        above.anonVma(vma.anonVma());
        reverseMap.cloneChain(actor, above, vma);
        resize(actor, vma, vma.start(), addr, vma.pageOffset());
        vmas.insert(above);
        return above;
    }

    /** The boundary between two neighbours moves; a side that becomes empty is removed. */
    private void shiftBoundary(final Actor actor, final Vma below, final Vma above, final long boundary) {
        PmdSplitter.splitAtBoundary(actor, boundary < below.end() ? below : above, boundary);
        if (boundary == above.end()) {
            resize(actor, below, below.start(), boundary, below.pageOffset());
            remove(actor, above);
        } else if (boundary == below.start()) {
            final long pageOffset = below.pageOffset();
            remove(actor, below);
            resize(actor, above, boundary, above.end(), pageOffset);
        } else if (boundary > below.end()) {
            final long aboveOffset = above.linearIndex(boundary);
            resize(actor, above, boundary, above.end(), aboveOffset);
            resize(actor, below, below.start(), boundary, below.pageOffset());
        } else {
            final long aboveOffset = below.linearIndex(boundary);
            resize(actor, below, below.start(), boundary, below.pageOffset());
            resize(actor, above, boundary, above.end(), aboveOffset);
        }
    }

    /** dup_anon_vma: an expanding VMA must be found for the pages it takes over. */
    private void duplicateAnonVma(final Actor actor, final Vma to, final Vma from) {
        if (from.anonVma() != null && to.anonVma() == null) {
            to.anonVma(from.anonVma());
            reverseMap.cloneChain(actor, to, from);
        }
    }

    /**
     * Reverse-map walks read the bounds under the family lock, and visit VMAs in the order of their first pages. A resized
     * VMA is taken out and put back, and so comes to stand behind others that begin at the same page: a forked child's
     * VMA is then visited, and its address space notified, before its parent's.
     */
    private void resize(final Actor actor, final Vma vma, final long start, final long end, final long pageOffset) {
        final AnonVma anonVma = vma.anonVma();
        if (anonVma == null) {
            vma.bounds(start, end, pageOffset);
            return;
        }
        anonVma.lock().writeLock(actor);
        for (final AnonVma linked : vma.chain) {
            linked.vmas.remove(vma);
        }
        vma.bounds(start, end, pageOffset);
        for (final AnonVma linked : vma.chain) {
            linked.insert(vma);
        }
        anonVma.lock().writeUnlock(actor);
    }

    private void lock(final Actor actor, final Vma vma) {
        vma.lock().writeLock(actor, space.mmapLock());
    }

    /** Whether a range, new or all or a part of {@code changed}, can become part of the VMA before it. */
    private static boolean canMergeAfter(
            final Vma previous, final long start, final long flags, final Vma changed, final long pageOffset) {
        return previous.end() == start
                && hasSameFlags(previous, flags)
                && isMergeable(previous, changed)
                && previous.linearIndex(start) == pageOffset;
    }

    /** Whether a range, new or all or a part of {@code changed}, can become part of the VMA behind it. */
    private static boolean canMergeBefore(
            final Vma next, final long end, final long flags, final Vma changed, final long endOffset) {
        return next.start() == end
                && hasSameFlags(next, flags)
                && isMergeable(next, changed)
                && next.pageOffset() == endOffset;
    }

    private static boolean hasSameFlags(final Vma vma, final long flags) {
        return ((vma.flags() ^ flags) & ~VmFlags.SOFTDIRTY) == 0;
    }

    /**
     * is_mergeable_anon_vma: if only one side has an anon_vma, the other takes it over; but a VMA inherited from a parent
     * (more than one link) keeps its own to itself.
     *
     * @param neighbour the VMA that would grow
     * @param changed what it would grow by, null for a new range
     */
    private static boolean isMergeable(final Vma neighbour, final Vma changed) {
        final AnonVma own = neighbour.anonVma();
        final AnonVma taken = changed == null ? null : changed.anonVma();
        if (own == null && taken != null) {
            return neighbour.space().platform().profile().mergesIntoUnfaulted() && changed.chain.size() == 1;
        }
        return taken == null && own != null ? neighbour.chain.size() == 1 : own == taken;
    }

    /** Whether the neighbours on both sides can become one. */
    private static boolean areCompatible(final Vma previous, final Vma next) {
        return previous.anonVma() == null || next.anonVma() == null || previous.anonVma() == next.anonVma();
    }

    private long pages(final long start, final long end) {
        return end - start >>> space.pageShift();
    }
}
