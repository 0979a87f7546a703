package mmutex.sync;

/**
 * Whether yielding is worth while, learnt from how long the last yields took. One per actor.
 *
 * <p>The clock is monotonic and decides nothing but how to wait.
 */
final class YieldPolicy {
    /** A yield that lasts longer gave the core to a thread that computes. */
    private static final long SLOW_YIELD_NS = 20_000;
    /** Pauses that sleep at once after a very slow yield, before yielding is tried again. */
    private static final int SKIPPED_MAX = 256;

    private int skip;

    /** Yields unless that has lately been slow; false if the waiter should rather sleep. */
    boolean yieldHelps() {
        if (skip > 0) {
            skip--;
            return false;
        }
        final long start = System.nanoTime();
        Thread.yield();
        final long took = System.nanoTime() - start;
        if (took > SLOW_YIELD_NS) {
            // In proportion: a time slice (milliseconds) must not be lost again soon. But a round through threads that
            // yield themselves (tens of microseconds) costs no more than sleeping does, and keeps the core from going
            // idle, from where a wake-up takes longest of all.
            skip = (int) Math.min(SKIPPED_MAX, took / SLOW_YIELD_NS);
        }
        return true;
    }
}
