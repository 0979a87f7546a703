package mmutex.remote;

import mmutex.fault.GupFlags;
import mmutex.fault.PageGetter;
import mmutex.memory.FrameAllocator;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * Reads and writes the memory of an address space, page by page: /proc/PID/mem, which forces its way into private mappings
 * that forbid the access, and process_vm_readv and process_vm_writev, which pin the pages and force nothing.
 *
 * <p>Threads: any; the caller holds nothing and keeps the address space from being torn down. Bytes are copied without any
 * order or atomicity, as the kernel copies them.
 */
public final class RemoteMemory {
    private RemoteMemory() {}

    /** access_remote_vm with FOLL_FORCE, reading; returns the bytes read before a page that can't be had. */
    public static int read(
            final Task task, final AddressSpace space, final long addr, final byte[] target, final int length) {
        return transfer(task, space, addr, target, length, GupFlags.FORCE);
    }

    /** access_remote_vm with FOLL_FORCE, writing; returns the bytes written before a page that can't be had. */
    public static int write(
            final Task task, final AddressSpace space, final long addr, final byte[] source, final int length) {
        return transfer(task, space, addr, source, length, GupFlags.FORCE | GupFlags.WRITE);
    }

    /** process_vm_readv of one range; a page shared copy-on-write becomes the process's own, although it is only read. */
    public static int readPinned(
            final Task task, final AddressSpace space, final long addr, final byte[] target, final int length) {
        return transfer(task, space, addr, target, length, GupFlags.PIN | GupFlags.UNLOCKABLE);
    }

    /** process_vm_writev of one range. */
    public static int writePinned(
            final Task task, final AddressSpace space, final long addr, final byte[] source, final int length) {
        return transfer(task, space, addr, source, length, GupFlags.PIN | GupFlags.UNLOCKABLE | GupFlags.WRITE);
    }

    private static int transfer(
            final Task task,
            final AddressSpace space,
            final long addr,
            final byte[] bytes,
            final int length,
            final int flags) {
        final long[] frame = new long[1];
        int done = 0;
        while (done < length) {
            final long at = addr + done;
            final int offset = (int) (at & space.pageSize() - 1);
            final int count = (int) Math.min(space.pageSize() - offset, length - done);
            // A pin outlives the mmap lock, a plain reference of /proc/PID/mem does not.
            space.mmapLock().readLock(task);
            final boolean got = at >= 0
                    && at < space.addressLimit()
                    && PageGetter.getPages(task, space, at - offset, 1, flags, frame) == 1;
            final boolean pinned = (flags & GupFlags.PIN) != 0;
            if (pinned || !got) {
                space.mmapLock().readUnlock(task);
            }
            if (!got) {
                break;
            }
            copy(task, space.platform(), frame[0], offset, bytes, done, count, flags);
            if (!pinned) {
                space.mmapLock().readUnlock(task);
            }
            done += count;
        }
        return done;
    }

    private static void copy(
            final Task task,
            final Platform platform,
            final long pfn,
            final int offset,
            final byte[] bytes,
            final int index,
            final int count,
            final int flags) {
        if ((flags & GupFlags.WRITE) == 0) {
            platform.data().read(pfn, offset, bytes, index, count);
        } else {
            platform.data().write(pfn, offset, bytes, index, count);
            // set_page_dirty_lock: the page lock keeps the frame from being dropped as clean meanwhile.
            final long folio = platform.frames().head(pfn);
            platform.pageLock().lock(task, folio);
            platform.frames().markDirty(folio);
            platform.pageLock().unlock(task, folio);
        }
        if (pfn != FrameAllocator.ZERO_FRAME) {
            if ((flags & GupFlags.PIN) != 0) {
                platform.allocator().unpin(pfn);
            } else {
                platform.allocator().put(pfn);
            }
        }
    }
}
