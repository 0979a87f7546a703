package mmutex.bench.run;

import java.util.concurrent.CountDownLatch;

/** Actors line up here and start together. A barrier that survives an actor who fails before he arrives. */
public final class StartingLine {
    private final CountDownLatch arrivals;
    private final CountDownLatch go = new CountDownLatch(1);

    public StartingLine(final int actors) {
        this.arrivals = new CountDownLatch(actors);
    }

    /** An actor is ready, or never will be. */
    public void arrive() {
        arrivals.countDown();
    }

    /** Returns when the start is given. */
    public void awaitStart() throws InterruptedException {
        go.await();
    }

    /** Waits for all and starts them. */
    public void start() throws InterruptedException {
        arrivals.await();
        go.countDown();
    }
}
