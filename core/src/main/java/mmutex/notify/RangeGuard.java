package mmutex.notify;

import mmutex.sync.Actor;

/**
 * A range that a driver reads without stopping others from changing it, and the question whether somebody did: the
 * collision-retry protocol, as a driver sees it in every generation of it.
 *
 * <pre>
 *   sample = readBegin            no change of the range is running
 *   read or change the CPU's entries
 *   driver lock
 *   readRetry(sample)?            yes: unlock, and from the top
 *   program the device
 *   unlock
 * </pre>
 *
 * <p>Threads: {@link #readBegin} and {@link #checkRetry} from any thread; {@link #readRetry} and {@link #setSeq} under the
 * driver lock.
 *
 * <p>Kernel counterparts: {@link IntervalSubscription} (since 5.5), {@link mmutex.notify.legacy.RangeNotifier} (its first
 * name), {@link mmutex.notify.legacy.HmmMirrorRange} (before 5.5).
 */
public interface RangeGuard {
    /** No sample: the wait was given up. Only generations whose wait has a bound return it. */
    long NO_SAMPLE = 0;

    /** First byte of the range. */
    long start();

    /** Last byte of the range. */
    long last();

    /**
     * A sample, taken while no change that concerns the range runs. Waits; never under a driver lock or page lock.
     *
     * @return the sample, or {@link #NO_SAMPLE}
     */
    long readBegin(Actor actor);

    /** Under the driver lock: whether the range was changed since the sample. */
    boolean readRetry(long sample);

    /** The same without lock; true is reliable, false a hint. An intended race. */
    boolean checkRetry(long sample);

    /** By the callback, under the driver lock: the change concerns the range. Nothing where the core keeps track itself. */
    void setSeq(long sequence);
}
