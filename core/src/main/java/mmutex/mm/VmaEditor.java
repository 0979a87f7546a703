package mmutex.mm;

import mmutex.layout.VmFlags;
import mmutex.sync.Actor;

/**
 * Splits, merges and links the VMAs of one address space, by the kernel's merging rules: same file, same flags but
 * soft-dirty, contiguous page offset, compatible anon_vma. Which VMAs merge is visible to programs: it decides what fork copies,
 * which neighbours a conversion notifies, and which ranges are one.
 *
 * <p>Bounds of VMAs that map a file change under that file's lock, from the first to the last step of an edit (vma_prepare,
 * vma_complete): a truncation that walks the file's VMAs without any mmap lock must not find a gap. VMAs are write-locked
 * before it: their faults wait for page locks, whose holders may want the file's.
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

    /** Maps an empty range of private anonymous memory. */
    public Vma map(final Actor actor, final long start, final long end, final long flags, final long pageOffset) {
        return map(actor, start, end, flags, pageOffset, null);
    }

    /**
     * vma_merge_new_range, or a new VMA: maps an empty range. Returns the VMA that now holds it.
     *
     * @param file what it maps, null for private anonymous memory
     */
    public Vma map(
            final Actor actor,
            final long start,
            final long end,
            final long flags,
            final long pageOffset,
            final FileMapping file) {
        Vma merged = mergeNew(actor, start, end, flags, pageOffset, file, null);
        if (merged == null) {
            merged = new Vma(space, start, end, flags, pageOffset, file);
            insert(actor, merged);
        }
        merged.flags(merged.flags() | VmFlags.SOFTDIRTY);
        return merged;
    }

    /**
     * copy_vma: maps an empty range for pages that move there from a VMA, [from, from + length) of it. Pages keep their
     * linear index, so that reverse maps find them; where there are none yet, and no file either, the index follows the new place, for the
     * sake of merging. Returns the VMA that now holds the range; that may be the source itself.
     */
    public Vma copyRange(final Actor actor, final Vma source, final long from, final long length, final long to) {
        final boolean free = source.isAnonymous() && source.anonVma() == null;
        final long pageOffset = free ? to >>> space.pageShift() : source.linearIndex(from);
        final Vma merged = mergeNew(actor, to, to + length, source.flags(), pageOffset, source.file(), source);
        if (merged != null) {
            return merged;
        }
        final Vma copy = new Vma(space, to, to + length, source.flags(), pageOffset, source.file());
        copy.anonVma(source.anonVma());
        copy.userFaults(source.userFaults());
        reverseMap.cloneChain(actor, copy, source);
        insert(actor, copy);
        return copy;
    }

    /** Lets neighbours grow over an empty range; null if none can. {@code source}: whose pages will come, or null. */
    private Vma mergeNew(
            final Actor actor,
            final long start,
            final long end,
            final long flags,
            final long pageOffset,
            final FileMapping file,
            final Vma source) {
        final UserFaults handler = source == null ? null : source.userFaults();
        final Vma previous = vmas.before(start);
        final Vma next = vmas.find(start);
        final boolean left =
                previous != null && canMergeAfter(previous, start, flags, file, handler, source, pageOffset);
        final boolean right = next != null
                && canMergeBefore(next, end, flags, file, handler, source, pageOffset + pages(start, end))
                && (!left || areCompatible(previous, next));
        if (!left && !right) {
            return null;
        }
        final Vma merged = left ? previous : next;
        lock(actor, merged);
        if (left && right) {
            lock(actor, next);
        }
        prepare(actor, file);
        if (left && right) {
            duplicateAnonVma(actor, previous, next);
        }
        if (source != null) {
            duplicateAnonVma(actor, merged, source);
        }
        if (left) {
            resize(actor, previous, previous.start(), right ? next.end() : end, previous.pageOffset());
        } else {
            resize(actor, next, start, next.end(), pageOffset);
        }
        if (left && right) {
            absorb(actor, next);
        }
        complete(actor, file);
        return merged;
    }

    /**
     * vma_modify: gives a part of a VMA other flags, merging with neighbours or splitting. Returns the VMA that holds the
     * range afterwards, write-locked, its flags set.
     */
    public Vma modify(final Actor actor, final Vma vma, final long start, final long end, final long flags) {
        return modify(actor, vma, start, end, flags, vma.userFaults());
    }

    /** vma_modify_flags_uffd: as above, and gives the part another handler of user faults, or none. */
    public Vma modifyUserFaults(
            final Actor actor,
            final Vma vma,
            final long start,
            final long end,
            final long flags,
            final UserFaults handler) {
        return modify(actor, vma, start, end, flags, handler);
    }

    private Vma modify(
            final Actor actor,
            final Vma vma,
            final long start,
            final long end,
            final long flags,
            final UserFaults handler) {
        final Vma previous = start == vma.start() ? vmas.before(start) : null;
        final Vma next = end == vma.end() ? vmas.find(end) : null;
        final FileMapping file = vma.file();
        final long pageOffset = vma.linearIndex(start);
        final boolean left = previous != null && canMergeAfter(previous, start, flags, file, handler, vma, pageOffset);
        final boolean right = next != null
                && canMergeBefore(next, end, flags, file, handler, vma, pageOffset + pages(start, end))
                && (!left || areCompatible(previous, next));
        lock(actor, vma);
        final Vma result;
        if (left && right) {
            result = previous;
            lock(actor, previous);
            lock(actor, next);
            prepare(actor, file);
            duplicateAnonVma(actor, previous, vma.anonVma() != null ? vma : next);
            resize(actor, previous, previous.start(), next.end(), previous.pageOffset());
            absorb(actor, vma);
            absorb(actor, next);
            complete(actor, file);
        } else if (left) {
            result = previous;
            lock(actor, previous);
            prepare(actor, file);
            duplicateAnonVma(actor, previous, vma);
            shiftBoundary(actor, previous, vma, end);
            complete(actor, file);
        } else if (right) {
            result = next;
            lock(actor, next);
            prepare(actor, file);
            duplicateAnonVma(actor, next, vma);
            shiftBoundary(actor, vma, next, start);
            complete(actor, file);
        } else {
            result = isolate(actor, vma, start, end);
        }
        result.flags(flags);
        result.userFaults(handler);
        return result;
    }

    /** Splits so that a VMA ends at, and another begins at, an address inside one. */
    public void split(final Actor actor, final long addr) {
        final Vma vma = vmas.lookup(addr);
        if (vma != null && vma.start() < addr) {
            splitAt(actor, vma, addr);
        }
    }

    /** Takes a VMA out: no longer found, unlinked from its reverse maps. */
    public void remove(final Actor actor, final Vma vma) {
        detach(actor, vma);
        unlink(actor, vma);
    }

    /** The first half of {@link #remove}: no fault finds the VMA any more, but truncation and rmap walks do. */
    public void detach(final Actor actor, final Vma vma) {
        lock(actor, vma);
        vmas.remove(vma);
    }

    /** The second half, unlink_anon_vmas and unlink_file_vma: after its entries have been zapped, before its tables go. */
    public void unlink(final Actor actor, final Vma vma) {
        reverseMap.unlink(actor, vma);
        final FileMapping file = vma.file();
        if (file != null) {
            prepare(actor, file);
            file.unlink(vma);
            complete(actor, file);
            file.release(actor);
        }
    }

    /** Changes flags that have no part in merging, of a VMA as a whole. */
    public void changeFlags(final Actor actor, final Vma vma, final long flags) {
        lock(actor, vma);
        vma.flags(flags);
    }

    /** mremap_userfaultfd_prep, dup_userfaultfd: moved and forked memory has no handler, unless he asked for it. */
    public void dropUserFaults(final Actor actor, final Vma vma) {
        lock(actor, vma);
        vma.flags(vma.flags() & ~(VmFlags.UFFD_MISSING | VmFlags.UFFD_WP));
        vma.userFaults(null);
    }

    /** unlink_anon_vmas of a VMA that stays, but whose pages have all moved away. */
    public void forgetPages(final Actor actor, final Vma vma) {
        lock(actor, vma);
        reverseMap.unlink(actor, vma);
    }

    /** Adds a forked VMA to a new address space, as it is. */
    public Vma copy(final Actor actor, final Vma from, final long flags) {
        final Vma copy = new Vma(space, from.start(), from.end(), flags, from.pageOffset(), from.file());
        insert(actor, copy);
        return copy;
    }

    /** A new VMA: linked to its file, of which it becomes a holder, and found. */
    private void insert(final Actor actor, final Vma vma) {
        lock(actor, vma);
        final FileMapping file = vma.file();
        if (file != null) {
            file.hold();
            prepare(actor, file);
            file.link(vma);
            complete(actor, file);
        }
        vmas.insert(vma);
    }

    /** Within an edit: a VMA whose range others have taken over. They hold the file too, so it stays. */
    private void absorb(final Actor actor, final Vma vma) {
        vmas.remove(vma);
        reverseMap.unlink(actor, vma);
        final FileMapping file = vma.file();
        if (file != null) {
            file.unlink(vma);
            file.release(actor);
        }
    }

    /** vma_prepare: the file's VMAs stand still for others until {@link #complete}. */
    private static void prepare(final Actor actor, final FileMapping file) {
        if (file != null) {
            file.lock().writeLock(actor);
        }
    }

    private static void complete(final Actor actor, final FileMapping file) {
        if (file != null) {
            file.lock().writeUnlock(actor);
        }
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
        final FileMapping file = vma.file();
        final Vma above = new Vma(space, addr, vma.end(), vma.flags(), vma.linearIndex(addr), file);
        lock(actor, above);
        above.anonVma(vma.anonVma());
        above.userFaults(vma.userFaults());
        reverseMap.cloneChain(actor, above, vma);
        prepare(actor, file);
        if (file != null) {
            file.hold();
            file.link(above);
        }
        resize(actor, vma, vma.start(), addr, vma.pageOffset());
        complete(actor, file);
        vmas.insert(above);
        return above;
    }

    /**
     * The boundary between two neighbours moves; a side that becomes empty is removed. The side that grows is resized
     * first, so that at no instant a page is covered by neither: a reverse-map walk of another process, which may come
     * between, would leave a migration entry behind.
     */
    private void shiftBoundary(final Actor actor, final Vma below, final Vma above, final long boundary) {
        PmdSplitter.splitAtBoundary(actor, boundary < below.end() ? below : above, boundary);
        if (boundary == above.end()) {
            resize(actor, below, below.start(), boundary, below.pageOffset());
            absorb(actor, above);
        } else if (boundary == below.start()) {
            resize(actor, above, boundary, above.end(), below.pageOffset());
            absorb(actor, below);
        } else if (boundary > below.end()) {
            final long aboveOffset = above.linearIndex(boundary);
            resize(actor, below, below.start(), boundary, below.pageOffset());
            resize(actor, above, boundary, above.end(), aboveOffset);
        } else {
            final long aboveOffset = below.linearIndex(boundary);
            resize(actor, above, boundary, above.end(), aboveOffset);
            resize(actor, below, below.start(), boundary, below.pageOffset());
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
     * VMA is then visited, and its address space notified, before its parent's. The file is prepared.
     */
    private void resize(final Actor actor, final Vma vma, final long start, final long end, final long pageOffset) {
        final FileMapping file = vma.file();
        if (file != null) {
            file.unlink(vma);
        }
        resizeInFamily(actor, vma, start, end, pageOffset);
        if (file != null) {
            file.link(vma);
        }
    }

    private void resizeInFamily(
            final Actor actor, final Vma vma, final long start, final long end, final long pageOffset) {
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
            final Vma previous,
            final long start,
            final long flags,
            final FileMapping file,
            final UserFaults handler,
            final Vma changed,
            final long pageOffset) {
        return previous.end() == start
                && isAlike(previous, flags, file, handler)
                && isMergeable(previous, changed)
                && previous.linearIndex(start) == pageOffset;
    }

    /** Whether a range, new or all or a part of {@code changed}, can become part of the VMA behind it. */
    private static boolean canMergeBefore(
            final Vma next,
            final long end,
            final long flags,
            final FileMapping file,
            final UserFaults handler,
            final Vma changed,
            final long endOffset) {
        return next.start() == end
                && isAlike(next, flags, file, handler)
                && isMergeable(next, changed)
                && next.pageOffset() == endOffset;
    }

    /** is_mergeable_vma. */
    private static boolean isAlike(final Vma vma, final long flags, final FileMapping file, final UserFaults handler) {
        return ((vma.flags() ^ flags) & ~VmFlags.SOFTDIRTY) == 0
                && (flags & VmFlags.SPECIAL) == 0
                && vma.file() == file
                && vma.userFaults() == handler;
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
