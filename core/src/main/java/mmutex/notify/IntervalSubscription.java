package mmutex.notify;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.sync.Actor;

/**
 * A driver's interest in a range of an address space, with the sequence of the collision-retry protocol.
 *
 * <p>Threads: {@link #readBegin} and {@link #checkRetry} from any thread; {@link #readRetry} and {@link #setSeq} under
 * the driver lock. An object may be inserted again after it has been removed.
 *
 * <p>Kernel counterpart: {@code struct mmu_interval_notifier} (6.12).
 */
public final class IntervalSubscription implements RangeGuard {
    private static final VarHandle SEQ;

    static {
        try {
            SEQ = MethodHandles.lookup().findVarHandle(IntervalSubscription.class, "subscriptionSeq", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final IntervalCallback callback;
    NotifierState state;
    long start;
    long last;
    // Under the notifier state's lock:
    boolean inIndex;
    boolean deferred;
    IntervalSubscription nextDeferred;

    @SuppressWarnings("unused") // through SEQ
    private long subscriptionSeq;

    public IntervalSubscription(final IntervalCallback callback) {
        this.callback = callback;
    }

    /** First byte of the interval. */
    @Override
    public long start() {
        return start;
    }

    /** Last byte of the interval. */
    @Override
    public long last() {
        return last;
    }

    /**
     * mmu_interval_read_begin: a sample of the sequence, taken while no invalidation that hit the interval runs. Waits
     * without bound (Q2). Never under a driver lock or page lock.
     */
    @Override
    public long readBegin(final Actor actor) {
        return state.readBegin(actor, this);
    }

    /** mmu_interval_read_retry: under the driver lock, whether the interval was hit since the sample. */
    @Override
    public boolean readRetry(final long sample) {
        // ORDER(driver-lock): ordered by the lock, not by this load.
        return (long) SEQ.getOpaque(this) != sample;
    }

    /** mmu_interval_check_retry: the same without lock; true is reliable, false a hint. An intended race. */
    @Override
    public boolean checkRetry(final long sample) {
        return (long) SEQ.getOpaque(this) != sample;
    }

    /** mmu_interval_set_seq: by the callback, under the driver lock. */
    @Override
    public void setSeq(final long sequence) {
        SEQ.setOpaque(this, sequence);
    }

    /** The current value (state lock held, or checkers). */
    public long seq() {
        return (long) SEQ.getOpaque(this);
    }
}
