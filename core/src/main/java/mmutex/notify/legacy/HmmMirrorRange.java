package mmutex.notify.legacy;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.LongSupplier;
import mmutex.notify.IntervalCallback;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;

/**
 * A range that a driver has registered for a while: the tracking half of {@code struct hmm_range}, mm/hmm.c (5.3). Instead
 * of a sequence it has a flag, valid, which {@link Hmm} clears and sets; a sample says nothing but that there was one.
 *
 * <p>Threads: as {@link RangeGuard}. May be registered again after it has been unregistered.
 */
public final class HmmMirrorRange implements RangeGuard {
    /** The only sample there is. */
    static final long VALID = 1;

    private static final VarHandle IS_VALID;

    static {
        try {
            IS_VALID = MethodHandles.lookup().findVarHandle(HmmMirrorRange.class, "valid", boolean.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final IntervalCallback driver;
    private final LongSupplier clock;
    private final long timeoutNs;

    // Under the hmm's ranges lock:
    Hmm hmm;
    long start;
    long last;
    HmmMirrorRange previous;
    HmmMirrorRange next;

    @SuppressWarnings("unused") // through IS_VALID
    private boolean valid;

    /**
     * Creates a range; not yet registered.
     *
     * @param driver asked for {@link IntervalCallback#isOwn} only
     * @param clock monotonic nanoseconds
     * @param timeoutNs how long {@link #readBegin} waits
     */
    public HmmMirrorRange(final IntervalCallback driver, final LongSupplier clock, final long timeoutNs) {
        this.driver = driver;
        this.clock = clock;
        this.timeoutNs = timeoutNs;
    }

    IntervalCallback driver() {
        return driver;
    }

    @Override
    public long start() {
        return start;
    }

    @Override
    public long last() {
        return last;
    }

    /** hmm_range_wait_until_valid: {@link #NO_SAMPLE} if the time was over first. */
    @Override
    public long readBegin(final Actor actor) {
        return hmm.awaitValid(actor, this, clock, timeoutNs) ? VALID : NO_SAMPLE;
    }

    /** hmm_range_valid, under the driver lock. */
    @Override
    public boolean readRetry(final long sample) {
        // ORDER(driver-lock): ordered by the lock, not by this load: valid is cleared before the mirror takes the lock.
        return !isValid();
    }

    @Override
    public boolean checkRetry(final long sample) {
        return !isValid();
    }

    /** Nothing: {@link Hmm} has cleared the flag before the driver is called. */
    @Override
    public void setSeq(final long sequence) {}

    boolean isValid() {
        return (boolean) IS_VALID.getOpaque(this);
    }

    void setValid(final boolean newValid) {
        IS_VALID.setOpaque(this, newValid);
    }
}
