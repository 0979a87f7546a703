package mmutex.machine;

import mmutex.change.Advisor;
import mmutex.change.Advisor.Advice;
import mmutex.change.FileMapper;
import mmutex.change.Forker;
import mmutex.change.Locker;
import mmutex.change.Mapper;
import mmutex.change.Mover;
import mmutex.change.Protector;
import mmutex.change.Reaper;
import mmutex.change.SoftDirtyClearer;
import mmutex.change.SpaceTeardown;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageMap;
import mmutex.mm.Residency;
import mmutex.mm.Task;
import mmutex.remote.RemoteMemory;

/**
 * A process: an address space and the system calls that change it. Calls from any number of tasks at once.
 *
 * <p>Addresses and lengths are bytes.
 */
public final class Process {
    private final Machine machine;
    private final AddressSpace space;
    private final Futexes futexes = new Futexes();

    Process(final Machine machine, final AddressSpace space) {
        this.machine = machine;
        this.space = space;
    }

    public AddressSpace space() {
        return space;
    }

    /** Maps private anonymous memory; see {@link Mapper#mapAnonymous}. */
    public Errno mmap(final Task task, final long addr, final long length, final long protection) {
        return Mapper.mapAnonymous(task, space, addr, length, protection);
    }

    /** Maps private anonymous memory in the place of whatever is there; see {@link Mapper#mapAnonymousOver}. */
    public Errno mmapOver(final Task task, final long addr, final long length, final long protection) {
        return Mapper.mapAnonymousOver(task, space, addr, length, protection);
    }

    /** Maps shared anonymous memory; see {@link FileMapper#mapSharedAnonymous}. */
    public Errno mmapShared(final Task task, final long addr, final long length, final long protection) {
        return FileMapper.mapSharedAnonymous(task, space, addr, length, protection);
    }

    /**
     * Maps a file; see {@link FileMapper#mapFile}.
     *
     * @param offset first byte of the file, a multiple of the page size
     * @param shared whether writes go to the file, else to private copies
     */
    public Errno mmapFile(
            final Task task,
            final long addr,
            final long length,
            final long protection,
            final File file,
            final long offset,
            final boolean shared) {
        if ((offset & space.pageSize() - 1) != 0 || offset < 0) {
            return Errno.EINVAL;
        }
        final long firstPage = offset >>> space.pageShift();
        return FileMapper.mapFile(task, space, addr, length, protection, file.mapping(), firstPage, shared);
    }

    /** Maps the test device's file, which fills the range with pages; see {@link FileMapper#mapDriverPages}. */
    public Errno mmapDriver(final Task task, final long addr, final long length, final long protection) {
        return FileMapper.mapDriverPages(task, space, addr, length, protection);
    }

    /** Maps huge pages from the machine's pool; see {@link FileMapper#mapHugePages}. */
    public Errno mmapHuge(final Task task, final long addr, final long length, final long protection) {
        return FileMapper.mapHugePages(task, space, addr, length, protection);
    }

    /** Unmaps; see {@link Mapper#unmap}. */
    public Errno munmap(final Task task, final long addr, final long length) {
        return Mapper.unmap(task, space, addr, length);
    }

    /** Changes protection; see {@link Protector#protect}. */
    public Errno mprotect(final Task task, final long addr, final long length, final long protection) {
        return Protector.protect(task, space, addr, length, protection);
    }

    /** Gives advice; see {@link Advisor#advise}. */
    public Errno madvise(final Task task, final long addr, final long length, final Advice advice) {
        return Advisor.advise(task, space, addr, length, advice);
    }

    /**
     * Moves mapped pages; see {@link Mover#move}.
     *
     * @param keepOld the old range stays mapped, empty
     */
    public Errno mremap(final Task task, final long from, final long length, final long to, final boolean keepOld) {
        return Mover.move(task, space, from, length, to, keepOld);
    }

    /** Locks memory and brings it in; see {@link Locker#lock}. */
    public Errno mlock(final Task task, final long addr, final long length) {
        return Locker.lock(task, space, addr, length);
    }

    /** Undoes {@link #mlock}. */
    public Errno munlock(final Task task, final long addr, final long length) {
        return Locker.unlock(task, space, addr, length);
    }

    /** Which pages are in memory; see {@link Residency#read}. */
    public Errno mincore(final Task task, final long addr, final long pages, final byte[] vec) {
        return Residency.read(task, space, addr, pages, vec);
    }

    /** Starts a round of soft-dirty tracking: 4 written to /proc/PID/clear_refs; see {@link SoftDirtyClearer#clear}. */
    public void clearSoftDirty(final Task task) {
        SoftDirtyClearer.clear(task, space);
    }

    /** pread of /proc/PID/mem; returns the bytes read, 0 where the kernel says EIO. */
    public int readForced(final Task task, final long addr, final byte[] target) {
        return RemoteMemory.read(task, space, addr, target, target.length);
    }

    /** pwrite to /proc/PID/mem; returns the bytes written, 0 where the kernel says EIO. */
    public int writeForced(final Task task, final long addr, final byte[] source) {
        return RemoteMemory.write(task, space, addr, source, source.length);
    }

    /** process_vm_readv by another or the same process; returns the bytes read, 0 where the kernel says EFAULT. */
    public int readPinned(final Task task, final long addr, final byte[] target) {
        return RemoteMemory.readPinned(task, space, addr, target, target.length);
    }

    /** process_vm_writev; returns the bytes written, 0 where the kernel says EFAULT. */
    public int writePinned(final Task task, final long addr, final byte[] source) {
        return RemoteMemory.writePinned(task, space, addr, source, source.length);
    }

    /** Its private futexes. */
    public Futexes futexes() {
        return futexes;
    }

    /** A fork's outcome: the child, or null and why not. */
    public record Forked(Errno errno, Process child) {}

    /** Forks; on failure nothing of the child remains. */
    public Forked fork(final Task task) {
        final AddressSpace child = machine.newSpace();
        if (child == null) {
            return new Forked(Errno.ENOMEM, null);
        }
        final Errno errno = Forker.fork(task, space, child);
        final Process process = new Process(machine, child);
        if (errno != Errno.OK) {
            process.exit(task);
            return new Forked(errno, null);
        }
        return new Forked(Errno.OK, process);
    }

    /** The out-of-memory reaper takes the memory of a process that is about to die; see {@link Reaper#reap}. */
    public Errno reap(final Task task) {
        return Reaper.reap(task, space);
    }

    /** The process ends: its address space is torn down once nobody pins it. No CPU runs it any more. */
    public void exit(final Task task) {
        SpaceTeardown.unpin(task, space);
        if (!space.isAlive()) {
            machine.forget(space);
        }
    }

    /** What /proc/PID/pagemap says of a page. */
    public PageMap.PageState pagemap(final Task task, final long addr) {
        return PageMap.read(task, space, addr);
    }

    /** RssFile, in pages. */
    public long rssFilePages() {
        return space.filePages().value();
    }

    /** RssShmem, in pages. */
    public long rssShmemPages() {
        return space.shmemPages().value();
    }

    /** RssAnon, in pages. */
    public long rssAnonPages() {
        return space.anonPages().value();
    }
}
