package mmutex.sync;

import java.util.concurrent.atomic.AtomicInteger;

/** An actor that shows when it waits: every step of every wait is counted. */
public class PausingActor extends Actor {
    private final AtomicInteger pauses = new AtomicInteger();

    public PausingActor(final int id) {
        super(id, "actor" + id);
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

    /** Returns once the actor waits for something (called by another thread). */
    public final void awaitWaiting() {
        awaitPauses(1);
    }

    /** Returns once the actor has waited so many steps. */
    public final void awaitPauses(final int count) {
        while (pauses.get() < count) {
            Thread.yield();
        }
    }

    /** Returns once a waiting actor has looked at its condition again, or sleeps after having done so. */
    public final void awaitAnotherLook() {
        final int before = pauses.get();
        while (pauses.get() == before && !isAsleep()) {
            Thread.yield();
        }
    }

    /** Returns once the actor has announced that it sleeps. */
    public final void awaitAsleep() {
        while (!isAsleep()) {
            Thread.yield();
        }
    }
}
