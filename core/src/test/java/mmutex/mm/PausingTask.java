package mmutex.mm;

import java.util.concurrent.atomic.AtomicInteger;

/** A task that shows when it waits: every step of every wait is counted. */
public class PausingTask extends Task {
    private final AtomicInteger pauses = new AtomicInteger();

    public PausingTask(final int id) {
        super(id, "task" + id);
    }

    @Override
    protected boolean serveWhileWaiting() {
        pauses.incrementAndGet();
        return false;
    }

    /** Steps of waiting so far. */
    public final int pauses() {
        return pauses.get();
    }

    /** Returns once the task has waited so many steps (called by another thread). */
    public final void awaitPauses(final int count) {
        while (pauses.get() < count) {
            Thread.yield();
        }
    }
}
