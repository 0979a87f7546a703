package mmutex.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;
import mmutex.sync.Wait;
import mmutex.sync.WaitQueue;

/**
 * The private futexes of one process: FUTEX_WAIT and FUTEX_WAKE, kernel/futex (6.12). The word is read as the program
 * would read it, so an exclusive page is restored by a waiter's look at it.
 *
 * <p>Threads: any.
 */
public final class Futexes {
    private final SpinLock lock = new SpinLock(LockClass.LF);
    private final WaitQueue queue = new WaitQueue();
    private final List<Waiter> waiters = new ArrayList<>();

    /** One sleeper; under the lock. */
    private static final class Waiter {
        private final long addr;
        private boolean woken;

        private Waiter(final long addr) {
            this.addr = addr;
        }
    }

    /**
     * Waits until somebody wakes the word, if it still holds a value.
     *
     * @param expired tells when the time is over; asked again and again, by the waiting thread
     * @return OK if woken; EAGAIN if the word differs, EFAULT if it can't be read, EINVAL if it is misaligned, ETIMEDOUT,
     *     EINTR on a fatal signal
     */
    public Errno await(final Cpu cpu, final long addr, final int expected, final BooleanSupplier expired) {
        if ((addr & Integer.BYTES - 1) != 0) {
            return Errno.EINVAL;
        }
        final Waiter waiter = new Waiter(addr);
        // Queued before the look: whoever changes the word and wakes afterwards finds the waiter.
        lock.lock(cpu);
        waiters.add(waiter);
        lock.unlock(cpu);
        Errno result = Errno.OK;
        if (cpu.loadInt(addr) != Signal.NONE) {
            result = Errno.EFAULT;
        } else if ((int) cpu.value() != expected) {
            result = Errno.EAGAIN;
        } else {
            result = sleep(cpu, waiter, expired);
        }
        lock.lock(cpu);
        waiters.remove(waiter);
        lock.unlock(cpu);
        return result;
    }

    private Errno sleep(final Cpu cpu, final Waiter waiter, final BooleanSupplier expired) {
        final Wait wait = cpu.startWait(queue, waiter.addr);
        Errno result = null;
        while (result == null) { // ends with a wake-up, the time or the signal
            if (isWoken(cpu, waiter)) {
                result = Errno.OK;
            } else if (expired.getAsBoolean()) {
                result = Errno.ETIMEDOUT;
            } else if (cpu.isKilled()) {
                result = Errno.EINTR;
            } else {
                wait.pause();
            }
        }
        wait.finish();
        return result;
    }

    private boolean isWoken(final Cpu cpu, final Waiter waiter) {
        lock.lock(cpu);
        final boolean woken = waiter.woken;
        lock.unlock(cpu);
        return woken;
    }

    /** Wakes at most so many sleepers of a word, longest first; returns how many. */
    public int wake(final Task task, final long addr, final int count) {
        int woken = 0;
        lock.lock(task);
        for (final Waiter waiter : waiters) {
            if (woken < count && waiter.addr == addr && !waiter.woken) {
                waiter.woken = true;
                woken++;
            }
        }
        lock.unlock(task);
        queue.wakeIfAny(task, addr);
        return woken;
    }
}
