package mmutex.mm;

import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;
import mmutex.sync.Wait;
import mmutex.sync.WaitQueue;

/**
 * The faults that a user's handler has to resolve: {@code struct userfaultfd_ctx}, fs/userfaultfd.c (6.12). A faulting task
 * queues its fault, drops its lock and sleeps; the handler reads the faults, changes the pages, and wakes the range.
 *
 * <p>Threads: any. The order of events that matters: a fault is queued before its task looks at the entry once more, and
 * the handler changes the entry before it wakes; so a task never sleeps on a page that has been resolved.
 */
public final class UserFaults {
    private final SpinLock lock = new SpinLock(LockClass.LF);
    private final WaitQueue sleepers = new WaitQueue();
    private final WaitQueue handlers = new WaitQueue();
    private final long instance = System.identityHashCode(this); // tells instances apart in reports

    // Under the lock:
    private Pending first;
    private boolean closed;

    /** One fault; each task has one, which it reuses. */
    public static final class Pending {
        private Pending next;
        private long addr;
        private boolean write;
        private boolean writeProtect;
        private boolean read;
        private boolean woken;
    }

    /**
     * What a handler learns of a fault.
     *
     * @param addr first byte of the page
     * @param write whether the access was a write
     * @param writeProtect whether the page is there and write-protected; else it is missing
     */
    public record Message(long addr, boolean write, boolean writeProtect) {}

    /** Queues a task's fault; false if nobody will ever resolve it. The handler may read it from now on. */
    public boolean post(
            final Actor task, final Pending fault, final long addr, final boolean write, final boolean writeProtect) {
        fault.addr = addr;
        fault.write = write;
        fault.writeProtect = writeProtect;
        fault.read = false;
        fault.woken = false;
        lock.lock(task);
        final boolean open = !closed;
        if (open) {
            // At the end: handlers see faults in the order in which they happened.
            fault.next = null;
            if (first == null) {
                first = fault;
            } else {
                Pending last = first;
                while (last.next != null) {
                    last = last.next;
                }
                last.next = fault;
            }
        }
        lock.unlock(task);
        return open;
    }

    /** Tells handlers that there is something to read. */
    public void announce(final Actor task) {
        handlers.wakeIfAny(task, instance);
    }

    /** Sleeps until the fault's page is woken, or a fatal signal comes. The task holds no lock. */
    public void await(final Actor task, final Pending fault) {
        final Wait wait = task.startWait(sleepers, instance);
        while (!isWoken(task, fault) && !task.isKilled()) { // ends with the handler's wake, its close, or the signal
            wait.pause();
        }
        wait.finish();
    }

    private boolean isWoken(final Actor task, final Pending fault) {
        lock.lock(task);
        final boolean woken = fault.woken || closed;
        lock.unlock(task);
        return woken;
    }

    /** Takes a task's fault out; it looks at the page again. */
    public void withdraw(final Actor task, final Pending fault) {
        lock.lock(task);
        Pending previous = null;
        for (Pending pending = first; pending != null; pending = pending.next) {
            if (pending == fault) {
                if (previous == null) {
                    first = fault.next;
                } else {
                    previous.next = fault.next;
                }
                break;
            }
            previous = pending;
        }
        fault.next = null;
        lock.unlock(task);
    }

    // ---- the handler's side ---------------------------------------------------------------------------------

    /** The oldest fault that no handler has read; null if there is none. */
    public Message read(final Actor handler) {
        Message message = null;
        lock.lock(handler);
        for (Pending pending = first; pending != null && message == null; pending = pending.next) {
            if (!pending.read) {
                pending.read = true;
                message = new Message(pending.addr, pending.write, pending.writeProtect);
            }
        }
        lock.unlock(handler);
        return message;
    }

    /** As {@link #read}, waiting for a fault; null once it is closed, or on a fatal signal. */
    public Message awaitFault(final Actor handler) {
        Message message = read(handler);
        if (message == null) {
            final Wait wait = handler.startWait(handlers, instance);
            while ((message = read(handler)) == null && !isClosed(handler) && !handler.isKilled()) {
                wait.pause();
            }
            wait.finish();
        }
        return message;
    }

    /** wake_userfault: lets tasks look again that wait for a page of the range. */
    public void wake(final Actor handler, final long start, final long end) {
        lock.lock(handler);
        for (Pending pending = first; pending != null; pending = pending.next) {
            if (pending.addr >= start && pending.addr < end) {
                pending.woken = true;
            }
        }
        lock.unlock(handler);
        sleepers.wakeIfAny(handler, instance);
    }

    /** Nobody handles faults any more: those who wait look again, later ones get a signal. */
    public void close(final Actor actor) {
        lock.lock(actor);
        closed = true;
        lock.unlock(actor);
        sleepers.wakeIfAny(actor, instance);
        handlers.wakeIfAny(actor, instance);
    }

    /** Whether it has been closed. */
    public boolean isClosed(final Actor actor) {
        lock.lock(actor);
        final boolean now = closed;
        lock.unlock(actor);
        return now;
    }
}
