package mmutex.change;

import java.util.ArrayList;
import java.util.List;
import mmutex.layout.VmFlags;
import mmutex.memory.TableArena;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.mm.VmaEditor;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/** mmap and munmap: mm/mmap.c, mm/vma.c (6.12); semantics 3.15. {@link FileMapper} maps what has a file behind it. */
public final class Mapper {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);
    private static final long MAY_ALL = VmFlags.MAYREAD | VmFlags.MAYWRITE | VmFlags.MAYEXEC;

    private Mapper() {}

    /**
     * Maps private anonymous memory at a fixed address, not replacing anything (MAP_FIXED_NOREPLACE).
     *
     * @param length bytes, rounded up to pages
     * @param protection READ, WRITE and EXEC of {@link VmFlags}
     * @return OK; EINVAL for a misaligned address or no length, ENOMEM beyond the address space, EEXIST over a mapping
     */
    public static Errno mapAnonymous(
            final Task task, final AddressSpace space, final long start, final long length, final long protection) {
        return mapPrivate(task, space, start, length, protection, false);
    }

    /** Maps private anonymous memory at a fixed address; what is mapped there goes first (MAP_FIXED). */
    public static Errno mapAnonymousOver(
            final Task task, final AddressSpace space, final long start, final long length, final long protection) {
        return mapPrivate(task, space, start, length, protection, true);
    }

    private static Errno mapPrivate(
            final Task task,
            final AddressSpace space,
            final long start,
            final long length,
            final long protection,
            final boolean replace) {
        final Errno refused = checkNew(space, start, length);
        if (refused != Errno.OK) {
            return refused;
        }
        final long end = start + Ranges.pageAligned(space, length);
        Errno result = Errno.OK;
        space.mmapLock().writeLock(task);
        if (replace) {
            result = unmapLocked(task, space, start, end);
        }
        if (result == Errno.OK) {
            result = isFree(space, start, end) ? Errno.OK : Errno.EEXIST;
        }
        if (result == Errno.OK) {
            space.editor().map(task, start, end, privateFlags(protection), start >>> space.pageShift());
        }
        space.mmapLock().writeUnlock(task);
        return result;
    }

    /** What mmap checks before it takes a lock. */
    static Errno checkNew(final AddressSpace space, final long start, final long length) {
        final Errno refused = Ranges.check(space, start, length);
        return refused == Errno.OK && length == 0 ? Errno.EINVAL : refused;
    }

    /** Whether nothing is mapped in a range. */
    static boolean isFree(final AddressSpace space, final long start, final long end) {
        final Vma occupied = space.vmas().find(start);
        return occupied == null || occupied.start() >= end;
    }

    /** Flags of a fresh private mapping: what may be written is accounted for. */
    static long privateFlags(final long protection) {
        final long accounted = (protection & VmFlags.WRITE) != 0 ? VmFlags.ACCOUNT : 0;
        return protection | accounted | MAY_ALL | VmFlags.SOFTDIRTY;
    }

    /** Flags of a fresh shared mapping. */
    static long sharedFlags(final long protection) {
        return protection | MAY_ALL | VmFlags.SHARED | VmFlags.MAYSHARE | VmFlags.SOFTDIRTY;
    }

    /** munmap. Holes are no error; a part of a huge page is (EINVAL). */
    public static Errno unmap(final Task task, final AddressSpace space, final long start, final long length) {
        final Errno refused = Ranges.check(space, start, length);
        if (refused != Errno.OK || length == 0) {
            return Errno.EINVAL;
        }
        final long end = start + Ranges.pageAligned(space, length);
        space.mmapLock().writeLock(task);
        final Errno result = unmapLocked(task, space, start, end);
        space.mmapLock().writeUnlock(task);
        return result;
    }

    /** do_vmi_munmap, with the mmap lock held for writing. */
    static Errno unmapLocked(final Task task, final AddressSpace space, final long start, final long end) {
        if (isFree(space, start, end)) {
            return Errno.OK;
        }
        if (!Ranges.maySplit(space, start) || !Ranges.maySplit(space, end)) {
            return Errno.EINVAL;
        }
        final VmaEditor editor = space.editor();
        final List<Vma> removed = new ArrayList<>();
        // 1. The range gets VMAs of its own, which are then found no more.
        editor.split(task, start);
        editor.split(task, end);
        for (Vma vma = space.vmas().find(start);
                vma != null && vma.start() < end;
                vma = space.vmas().find(start)) {
            if (vma.has(VmFlags.LOCKED)) {
                space.lockedPages().add(-(vma.end() - vma.start() >>> space.pageShift()));
            }
            editor.detach(task, vma);
            removed.add(vma);
        }
        // 2. One span over the whole request, holes included.
        final NotifierRange range = RANGE.of(task).init(NotifierEvent.UNMAP, start, end);
        space.notifiers().start(task, range);
        for (final Vma vma : removed) {
            Zapper.zap(task, vma, vma.start(), vma.end());
        }
        space.notifiers().end(task, range);
        for (final Vma vma : removed) {
            editor.unlink(task, vma);
        }
        // 3. Tables that now map nothing, up to the neighbours' (free_pgtables). Faults and walks are excluded,
        // since the VMAs are gone; an access may have read its way into a table, so they are freed after a
        // shoot-down.
        final Vma[] vmas = space.vmas().snapshot();
        long floor = 0;
        long ceiling = space.addressLimit();
        for (final Vma vma : vmas) {
            if (vma.end() <= start) {
                floor = vma.end();
            } else if (vma.start() >= end) {
                ceiling = vma.start();
                break;
            }
        }
        final long tables =
                space.pageTable().radix().detachRange(floor >>> space.pageShift(), ceiling >>> space.pageShift());
        if (tables != TableArena.NO_TABLE) {
            space.windows().flush(task);
            space.platform().tables().freeChain(tables);
        }
        return Errno.OK;
    }
}
