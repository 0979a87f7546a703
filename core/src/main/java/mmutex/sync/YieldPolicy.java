package mmutex.sync;

/**
 * Whether yielding is worth while, learnt from how long the last yields took. One per actor.
 *
 * <p>The clock is monotonic and decides nothing but how to wait.
 */
final class YieldPolicy {
    /** A yield that lasts longer gave the core to a thread that computes. */
    private static final long SLOW_YIELD_NS = 20_000;
    /** Waits that sleep at once after a slow yield, before yielding is tried again. */
    private static final int SKIPPED_WAITS = 256;

    private int skip;

    /** Yields unless that has lately been slow; false if the waiter should rather sleep. */
    boolean yieldHelps() {
        if (skip > 0) {
            skip--;
            return false;
        }
        final long start = System.nanoTime();
        Thread.yield();
        if (System.nanoTime() - start > SLOW_YIELD_NS) {
            skip = SKIPPED_WAITS;
        }
        return true;
    }
}
