package mmutex.machine;

import mmutex.change.Advisor;
import mmutex.change.Advisor.Advice;
import mmutex.change.Forker;
import mmutex.change.Mapper;
import mmutex.change.OomReaper;
import mmutex.change.Protector;
import mmutex.change.SpaceTeardown;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.PageMap;
import mmutex.mm.Task;

/**
 * A process: an address space and the system calls that change it. Calls from any number of tasks at once.
 *
 * <p>Addresses and lengths are bytes.
 */
public final class Process {
    private final Machine machine;
    private final AddressSpace space;

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

    /** The out-of-memory reaper takes the memory of a process that is about to die; see {@link OomReaper#reap}. */
    public boolean reap(final Task task) {
        return OomReaper.reap(task, space);
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

    /** RssAnon, in pages. */
    public long rssAnonPages() {
        return space.anonPages().value();
    }
}
