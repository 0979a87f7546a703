package mmutex.machine;

import mmutex.change.UserFaultRegistrar;
import mmutex.layout.VmFlags;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.mm.UserFaults;
import mmutex.mm.UserFaults.Message;
import mmutex.mm.Vma;

/**
 * A process's userfaultfd: lets a handler, any task, decide what becomes of faults on missing and on write-protected pages.
 * Kernel counterpart: fs/userfaultfd.c (6.12), without the optional events.
 *
 * <p>Threads: any.
 */
public final class UserFaultFd {
    private final Process process;
    private final UserFaults faults = new UserFaults();

    /** Opens one on a process. */
    public UserFaultFd(final Process process) {
        this.process = process;
    }

    /** UFFDIO_REGISTER; see {@link UserFaultRegistrar#register}. */
    public Errno register(
            final Task task, final long addr, final long length, final boolean missing, final boolean writeProtect) {
        final long modes = (missing ? VmFlags.UFFD_MISSING : 0) | (writeProtect ? VmFlags.UFFD_WP : 0);
        return UserFaultRegistrar.register(task, process.space(), faults, addr, length, modes);
    }

    /** UFFDIO_UNREGISTER. */
    public Errno unregister(final Task task, final long addr, final long length) {
        return UserFaultRegistrar.unregister(task, process.space(), faults, addr, length);
    }

    /** UFFDIO_WRITEPROTECT: protects pages, or removes the protection and wakes who waits for that. */
    public Errno writeProtect(final Task task, final long addr, final long length, final boolean on) {
        return UserFaultRegistrar.writeProtect(task, process.space(), faults, addr, length, on);
    }

    /** UFFDIO_COPY of one page: fills it in and wakes who waits for it. */
    public Errno copy(final Task task, final long addr, final byte[] contents) {
        return UserFaultRegistrar.fill(task, process.space(), faults, addr, contents);
    }

    /** UFFDIO_ZEROPAGE of one page. */
    public Errno zero(final Task task, final long addr) {
        return UserFaultRegistrar.fill(task, process.space(), faults, addr, null);
    }

    /** UFFDIO_WAKE: lets tasks look again that wait for pages of a range. */
    public void wake(final Task task, final long addr, final long length) {
        faults.wake(task, addr, addr + length);
    }

    /** The next fault that no handler has read; null if there is none. */
    public Message poll(final Task handler) {
        return faults.read(handler);
    }

    /** Waits for the next fault; null once the descriptor is closed. */
    public Message await(final Task handler) {
        return faults.awaitFault(handler);
    }

    /** Closes it: its ranges have no handler any more, and who waits looks again. */
    public void close(final Task task) {
        for (final Vma vma : process.space().vmas().snapshot()) {
            if (vma.userFaults() == faults) {
                unregister(task, vma.start(), vma.end() - vma.start());
            }
        }
        faults.close(task);
    }
}
