package mmutex.change;

import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.UserFaults;
import mmutex.mm.Vma;

/**
 * What a handler of user faults asks for: fs/userfaultfd.c, mm/userfaultfd.c (6.12). Which ranges it handles, write
 * protection of pages, and filling in missing ones.
 */
public final class UserFaultRegistrar {
    private static final long MODES = VmFlags.UFFD_MISSING | VmFlags.UFFD_WP;

    private UserFaultRegistrar() {}

    /**
     * UFFDIO_REGISTER: faults in a range go to a handler from now on.
     *
     * @param modes UFFD_MISSING, UFFD_WP or both, of {@link VmFlags}
     * @return OK; EINVAL for a bad range, a hole at its start, or mappings that can't have a handler; EBUSY if another
     *     handler has some of it
     */
    public static Errno register(
            final Task task,
            final AddressSpace space,
            final UserFaults handler,
            final long start,
            final long length,
            final long modes) {
        final long end = start + length;
        if (!isValid(space, start, length) || (modes & MODES) == 0) {
            return Errno.EINVAL;
        }
        space.mmapLock().writeLock(task);
        final Errno result = check(space, handler, start, end);
        if (result == Errno.OK) {
            forEach(
                    space,
                    start,
                    end,
                    (vma, from, to) -> space.editor()
                            .modifyUserFaults(task, vma, from, to, vma.flags() & ~MODES | modes, handler));
        }
        space.mmapLock().writeUnlock(task);
        return result;
    }

    /** UFFDIO_UNREGISTER: the handler no longer gets faults of a range; who waits for it looks again. */
    public static Errno unregister(
            final Task task, final AddressSpace space, final UserFaults handler, final long start, final long length) {
        if (!isValid(space, start, length)) {
            return Errno.EINVAL;
        }
        space.mmapLock().writeLock(task);
        forEach(space, start, start + length, (vma, from, to) -> {
            if (vma.userFaults() == handler) {
                if (vma.has(VmFlags.UFFD_WP)) {
                    Protector.resolveWriteProtection(task, vma, from, to); // no entry keeps a mark that nobody reads
                }
                space.editor().modifyUserFaults(task, vma, from, to, vma.flags() & ~MODES, null);
            }
        });
        space.mmapLock().writeUnlock(task);
        handler.wake(task, start, start + length);
        return Errno.OK;
    }

    /** validate_range: whole pages, at least one. */
    private static boolean isValid(final AddressSpace space, final long start, final long length) {
        return Ranges.check(space, start, length) == Errno.OK && (length & space.pageSize() - 1) == 0 && length != 0;
    }

    private static Errno check(final AddressSpace space, final UserFaults handler, final long start, final long end) {
        final Vma first = space.vmas().find(start);
        if (first == null || first.start() >= end) {
            return Errno.EINVAL;
        }
        for (Vma vma = first;
                vma != null && vma.start() < end;
                vma = space.vmas().find(vma.end())) {
            if (!mayHaveHandler(vma)) {
                return Errno.EINVAL;
            }
            if (vma.userFaults() != null && vma.userFaults() != handler) {
                return Errno.EBUSY;
            }
        }
        return Errno.OK;
    }

    /** vma_can_userfault. Of shared memory and files the kernel handles some; here, private anonymous memory only. */
    private static boolean mayHaveHandler(final Vma vma) {
        return vma.file() == null && (vma.flags() & (VmFlags.IO | VmFlags.PFNMAP | VmFlags.MIXEDMAP)) == 0;
    }

    /** A part of a VMA. */
    @FunctionalInterface
    private interface Part {
        void handle(Vma vma, long from, long to);
    }

    private static void forEach(final AddressSpace space, final long start, final long end, final Part part) {
        long addr = start;
        while (addr < end) { // moves past one VMA a round
            final Vma vma = space.vmas().find(addr);
            if (vma == null || vma.start() >= end) {
                return;
            }
            final long from = Math.max(addr, vma.start());
            addr = Math.min(end, vma.end());
            part.handle(vma, from, addr);
        }
    }

    /**
     * UFFDIO_WRITEPROTECT: protects the pages of a range, or removes the protection and wakes who waits.
     *
     * @return OK; EINVAL for a bad range, ENOENT for a hole or memory that is not registered for it
     */
    public static Errno writeProtect(
            final Task task,
            final AddressSpace space,
            final UserFaults handler,
            final long start,
            final long length,
            final boolean on) {
        if (!isValid(space, start, length)) {
            return Errno.EINVAL;
        }
        // The mmap lock is held shared: entries change under the leaf-table locks alone, as in a fault.
        space.mmapLock().readLock(task);
        Errno result = Errno.OK;
        long addr = start;
        while (addr < start + length && result == Errno.OK) {
            final Vma vma = space.vmas().lookup(addr);
            if (vma == null || !vma.has(VmFlags.UFFD_WP)) {
                result = Errno.ENOENT;
            } else {
                final long to = Math.min(vma.end(), start + length);
                if (on) {
                    Protector.writeProtect(task, vma, addr, to);
                } else {
                    Protector.resolveWriteProtection(task, vma, addr, to);
                }
                addr = to;
            }
        }
        space.mmapLock().readUnlock(task);
        if (result == Errno.OK && !on) {
            handler.wake(task, start, start + length);
        }
        return result;
    }

    /**
     * UFFDIO_COPY and, without contents, UFFDIO_ZEROPAGE: fills in a missing page and wakes who waits for it.
     *
     * @param contents of the page; null maps the zero page
     * @return OK; EINVAL for a misaligned address, ENOENT without a registered mapping, EEXIST if there is something
     *     already, ENOMEM
     */
    public static Errno fill(
            final Task task,
            final AddressSpace space,
            final UserFaults handler,
            final long addr,
            final byte[] contents) {
        if (Ranges.check(space, addr, space.pageSize()) != Errno.OK) {
            return Errno.EINVAL;
        }
        space.mmapLock().readLock(task);
        final Vma vma = space.vmas().lookup(addr);
        final Errno result = vma == null || vma.userFaults() == null
                ? Errno.ENOENT
                : contents == null ? fillWithZero(task, vma, addr) : fillWithCopy(task, vma, addr, contents);
        space.mmapLock().readUnlock(task);
        if (result == Errno.OK) {
            handler.wake(task, addr, addr + space.pageSize());
        }
        return result;
    }

    /** mfill_atomic_pte_copy. */
    private static Errno fillWithCopy(final Task task, final Vma vma, final long addr, final byte[] contents) {
        final AddressSpace space = vma.space();
        final Platform platform = space.platform();
        if (vma.anonVma() == null) {
            space.reverseMap().prepare(task, vma);
        }
        final long pfn = platform.allocator().allocateZeroed();
        if (pfn == FrameAllocator.NONE) {
            return Errno.ENOMEM;
        }
        platform.data().write(pfn, 0, contents, 0, (int) Math.min(contents.length, space.pageSize()));
        long pte = space.encoding().mkDirty(space.encoding().present(pfn, vma.protection()));
        if (vma.has(VmFlags.WRITE)) {
            pte = space.encoding().mkWrite(pte);
        }
        final Errno result = install(task, vma, addr, pte, pfn);
        if (result != Errno.OK) {
            platform.allocator().put(pfn);
        }
        return result;
    }

    private static Errno fillWithZero(final Task task, final Vma vma, final long addr) {
        final long zero = FrameAllocator.ZERO_FRAME;
        final long pte = vma.space().encoding().mkSpecial(vma.space().encoding().present(zero, vma.protection()));
        return install(task, vma, addr, pte, zero);
    }

    /** mfill_atomic_install_pte: only where nothing is. */
    private static Errno install(final Task task, final Vma vma, final long addr, final long pte, final long pfn) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final long slot = table.slotOrCreate(addr);
        if (slot == PageTable.NO_SLOT) {
            return Errno.ENOMEM;
        }
        if (RadixTable.isHuge(slot)) {
            return Errno.EEXIST;
        }
        table.lock(task, slot);
        final boolean missing = space.encoding().isNone(table.load(slot));
        if (missing) {
            if (pfn != FrameAllocator.ZERO_FRAME) {
                space.anonPages().add(1);
                space.reverseMap().addNewAnon(pfn, vma, addr);
            }
            table.store(slot, pte);
        }
        table.unlock(task, slot);
        return missing ? Errno.OK : Errno.EEXIST;
    }
}
