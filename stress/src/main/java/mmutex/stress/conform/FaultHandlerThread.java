package mmutex.stress.conform;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import mmutex.machine.UserFaultFd;
import mmutex.mm.Task;
import mmutex.mm.UserFaults.Message;

/**
 * The recorder's second thread, which answers every fault that a userfaultfd reports at once: of a write-protected page it
 * removes the protection, a missing one it fills in. It keeps a list of what it has read.
 */
final class FaultHandlerThread {
    private static final int FILLED_WORD = 4242;

    private final UserFaultFd descriptor;
    private final Task task;
    private final Thread thread;
    private final List<String> events = new ArrayList<>();
    private Throwable failure;

    FaultHandlerThread(final UserFaultFd descriptor, final Task task) {
        this.descriptor = descriptor;
        this.task = task;
        this.thread = new Thread(this::run, "user fault handler");
        thread.setDaemon(true);
        thread.start();
    }

    UserFaultFd descriptor() {
        return descriptor;
    }

    private void run() {
        try {
            for (Message fault = descriptor.await(task); fault != null; fault = descriptor.await(task)) {
                note(fault); // before the answer: the next step may ask for it
                answer(fault);
            }
        } catch (final RuntimeException e) {
            fail(e);
        }
    }

    private void answer(final Message fault) {
        if (fault.writeProtect()) {
            descriptor.writeProtect(task, fault.addr(), Place.PAGE_SIZE, false);
        } else {
            final ByteBuffer page = ByteBuffer.allocate((int) Place.PAGE_SIZE).order(ByteOrder.nativeOrder());
            descriptor.copy(task, fault.addr(), page.putInt(FILLED_WORD).array());
        }
    }

    private synchronized void note(final Message fault) {
        events.add((fault.writeProtect() ? "wp" : "missing") + (fault.write() ? "+write" : "") + ":"
                + Place.nameOf(fault.addr()));
    }

    private synchronized void fail(final Throwable why) {
        failure = why;
    }

    /** What it has read since the start. */
    synchronized List<Object> events() {
        if (failure != null) {
            throw new IllegalStateException("the handler of user faults failed", failure);
        }
        return List.copyOf(events);
    }

    /** Closes the descriptor and ends the thread. */
    void close(final Task closer) {
        descriptor.close(closer);
        try {
            thread.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
