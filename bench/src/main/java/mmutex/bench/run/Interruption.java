package mmutex.bench.run;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a run that is interrupted (Ctrl-C, SIGTERM) end early and still report: the JVM's shutdown waits until the results
 * are printed, or for {@value #PATIENCE_S} seconds. The JVM then exits with the code that belongs to the signal.
 */
public final class Interruption {
    private static final long PATIENCE_S = 30;

    private final CountDownLatch reported = new CountDownLatch(1);
    private final Thread hook;

    public Interruption(final StopSignal stop) {
        this.hook = new Thread(() -> interrupt(stop), "mmutex-interruption");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void interrupt(final StopSignal stop) {
        stop.set();
        try {
            reported.await(PATIENCE_S, TimeUnit.SECONDS);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The results are printed. */
    public void reported() {
        reported.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (final IllegalStateException shuttingDown) {
            // The hook has done its part.
        }
    }
}
