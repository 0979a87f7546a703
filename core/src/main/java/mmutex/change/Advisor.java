package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile.Populate;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/** madvise: mm/madvise.c (6.12), semantics 3.15. Holes are passed over and reported as ENOMEM at the end. */
public final class Advisor {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private static final long UNDISCARDABLE = VmFlags.LOCKED | VmFlags.PFNMAP;

    /** The supported kinds of advice. */
    public enum Advice {
        /** Discard now. */
        DONTNEED(false),
        /** Discard when memory is short, unless written to before. */
        FREE(false),
        /** Not used soon: forget that it was used. */
        COLD(false),
        /** Not used soon: reclaim now. */
        PAGEOUT(false),
        /** Bring in, as if read. */
        POPULATE_READ(false),
        /** Bring in, as if written. */
        POPULATE_WRITE(false),
        /** Children don't inherit the range. */
        DONTFORK(true),
        /** Undo DONTFORK. */
        DOFORK(true),
        /** Children inherit the range empty. */
        WIPEONFORK(true),
        /** Undo WIPEONFORK. */
        KEEPONFORK(true),
        /** May share frames with pages of the same content. */
        MERGEABLE(true),
        /** Undo MERGEABLE, and the sharing. */
        UNMERGEABLE(true),
        /** Huge pages are welcome. */
        HUGEPAGE(true),
        /** Huge pages are not. */
        NOHUGEPAGE(true),
        /** Huge pages now, if need be by copying. */
        COLLAPSE(false);

        private final boolean changesVma;

        Advice(final boolean changesVma) {
            this.changesVma = changesVma;
        }
    }

    private Advisor() {}

    /** Applies advice to a range. */
    public static Errno advise(
            final Task task, final AddressSpace space, final long start, final long length, final Advice advice) {
        final Errno refused = Ranges.check(space, start, length);
        if (refused != Errno.OK) {
            final boolean wraps = Long.compareUnsigned(start + Ranges.pageAligned(space, length), start) <= 0;
            return wraps ? Errno.EINVAL : refused;
        }
        final long end = start + Ranges.pageAligned(space, length);
        if (start == end) {
            return Errno.OK;
        }
        final boolean populates = advice == Advice.POPULATE_READ || advice == Advice.POPULATE_WRITE;
        if (populates && space.platform().profile().populate() == Populate.ABSENT) {
            return Errno.EINVAL;
        }
        if (advice.changesVma) {
            space.mmapLock().writeLock(task);
        } else {
            space.mmapLock().readLock(task);
        }
        final Errno result = populates && space.platform().profile().populate() == Populate.STOPS_AT_HOLE
                ? Populator.populate(task, space, start, end, advice == Advice.POPULATE_WRITE)
                : walk(task, space, start, end, advice);
        if (advice.changesVma) {
            space.mmapLock().writeUnlock(task);
        } else {
            space.mmapLock().readUnlock(task);
        }
        return result;
    }

    private static Errno walk(
            final Task task, final AddressSpace space, final long start, final long end, final Advice advice) {
        boolean hole = false;
        long addr = start;
        while (addr < end) {
            final Vma vma = space.vmas().find(addr);
            if (vma == null || vma.start() >= end) {
                return Errno.ENOMEM;
            }
            hole |= vma.start() > addr;
            final long from = Math.max(vma.start(), addr);
            final long to = Math.min(vma.end(), end);
            final Errno result = apply(task, space, vma, from, to, advice);
            if (result != Errno.OK) {
                return result;
            }
            addr = to;
        }
        return hole ? Errno.ENOMEM : Errno.OK;
    }

    private static Errno apply(
            final Task task, final AddressSpace space, final Vma vma, final long from, final long to, final Advice a) {
        switch (a) {
            case DONTNEED:
                return discard(task, space, vma, from, to);
            case FREE:
                return !vma.isAnonymous() || (vma.flags() & UNDISCARDABLE) != 0
                        ? Errno.EINVAL
                        : LazyFreer.free(task, vma, from, to);
            case COLD:
                return Cooler.cool(task, vma, from, to);
            case PAGEOUT:
                return Cooler.pageOut(task, vma, from, to);
            case MERGEABLE:
                return mayMerge(vma) ? flags(task, space, vma, from, to, vma.flags() | VmFlags.MERGEABLE) : Errno.OK;
            case UNMERGEABLE:
                return unmerge(task, space, vma, from, to);
            case POPULATE_READ:
            case POPULATE_WRITE:
                return Populator.populate(task, space, from, to, a == Advice.POPULATE_WRITE);
            case DONTFORK:
                return flags(task, space, vma, from, to, vma.flags() | VmFlags.DONTCOPY);
            case DOFORK:
                return flags(task, space, vma, from, to, vma.flags() & ~VmFlags.DONTCOPY);
            case WIPEONFORK:
                return !vma.isAnonymous() || vma.has(VmFlags.SHARED)
                        ? Errno.EINVAL
                        : flags(task, space, vma, from, to, vma.flags() | VmFlags.WIPEONFORK);
            case KEEPONFORK:
                return flags(task, space, vma, from, to, vma.flags() & ~VmFlags.WIPEONFORK);
            case HUGEPAGE:
                return flags(task, space, vma, from, to, vma.flags() & ~VmFlags.NOHUGEPAGE | VmFlags.HUGEPAGE);
            case NOHUGEPAGE:
                return flags(task, space, vma, from, to, vma.flags() & ~VmFlags.HUGEPAGE | VmFlags.NOHUGEPAGE);
            case COLLAPSE:
                return Collapser.collapse(task, vma, from, to);
            default:
                throw new IllegalArgumentException("unknown advice: advice=" + a);
        }
    }

    /** zap_page_range_single: sent even if nothing is mapped there. */
    private static Errno discard(
            final Task task, final AddressSpace space, final Vma vma, final long from, final long to) {
        if (vma.has(VmFlags.HUGETLB)) {
            return discardHuge(task, space, vma, from, to);
        }
        if ((vma.flags() & UNDISCARDABLE) != 0) {
            return Errno.EINVAL;
        }
        zap(task, space, vma, from, to);
        return Errno.OK;
    }

    /** From 5.18 on; what lies behind the last whole huge page is left alone (6.1: unexpected loss of data). */
    private static Errno discardHuge(
            final Task task, final AddressSpace space, final Vma vma, final long from, final long to) {
        final long size = space.platform().hugePages().pageSize();
        if (!space.platform().profile().hugetlbMovesAndDiscards() || (from & size - 1) != 0) {
            return Errno.EINVAL;
        }
        if ((to & -size) != from) {
            zap(task, space, vma, from, to & -size);
        }
        return Errno.OK;
    }

    private static void zap(final Task task, final AddressSpace space, final Vma vma, final long from, final long to) {
        final NotifierRange range = RANGE.of(task).init(NotifierEvent.CLEAR, from, to);
        space.notifiers().start(task, range);
        Zapper.zap(task, vma, from, to);
        space.notifiers().end(task, range);
    }

    /** vma_ksm_compatible; elsewhere the advice is ignored. */
    private static boolean mayMerge(final Vma vma) {
        final long never =
                VmFlags.SHARED | VmFlags.MAYSHARE | VmFlags.PFNMAP | VmFlags.IO | VmFlags.HUGETLB | VmFlags.MIXEDMAP;
        return (vma.flags() & never) == 0;
    }

    private static Errno unmerge(
            final Task task, final AddressSpace space, final Vma vma, final long from, final long to) {
        if (!vma.has(VmFlags.MERGEABLE)) {
            return Errno.OK;
        }
        final Errno result = SamePageMerger.unmerge(task, vma, from, to);
        return result == Errno.OK ? flags(task, space, vma, from, to, vma.flags() & ~VmFlags.MERGEABLE) : result;
    }

    private static Errno flags(
            final Task task,
            final AddressSpace space,
            final Vma vma,
            final long from,
            final long to,
            final long newFlags) {
        if (newFlags != vma.flags()) {
            if (!Ranges.maySplit(space, from) || !Ranges.maySplit(space, to)) {
                return Errno.EINVAL;
            }
            space.editor().modify(task, vma, from, to, newFlags);
        }
        return Errno.OK;
    }
}
