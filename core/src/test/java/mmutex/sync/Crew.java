package mmutex.sync;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;

/**
 * The threads of one test. Daemons, so that a hung one ends with the VM; the first failure of any is rethrown by
 * {@link #join}, at once, even if others then wait for ever.
 */
public final class Crew {
    /** What a thread does. */
    @FunctionalInterface
    public interface Work {
        void run() throws Exception;
    }

    /** What the threads of a group do, each knowing its number. */
    @FunctionalInterface
    public interface NumberedWork {
        void run(int number) throws Exception;
    }

    private final List<Thread> threads = new ArrayList<>();
    private int running;
    private Throwable failure;

    /** Starts a thread. */
    public Thread start(final String name, final Work work) {
        final Thread thread = new Thread(() -> run(work), name);
        thread.setDaemon(true);
        synchronized (this) {
            running++;
            threads.add(thread);
        }
        thread.start();
        return thread;
    }

    /** Starts threads that begin their work together. */
    public void startTogether(final int count, final NumberedWork work) {
        final CyclicBarrier barrier = new CyclicBarrier(count);
        for (int i = 0; i < count; i++) {
            final int number = i;
            start("crew-" + i, () -> {
                barrier.await();
                work.run(number);
            });
        }
    }

    /** Waits until all threads have ended. */
    public synchronized void join() throws InterruptedException {
        while (running > 0 && failure == null) {
            wait();
        }
        if (failure != null) {
            throw new AssertionError("a thread of the test failed", failure);
        }
    }

    private void run(final Work work) {
        Throwable problem = null;
        try {
            work.run();
        } catch (final Throwable t) {
            problem = t;
        }
        synchronized (this) {
            running--;
            if (failure == null) {
                failure = problem;
            }
            notifyAll();
        }
    }
}
