package mmutex.bench.run;

import java.util.concurrent.atomic.AtomicReference;

/** Tells all actors of a run to end, and remembers why if somebody failed. Any thread. */
public final class StopSignal {
    private final AtomicReference<ActorFailure> failure = new AtomicReference<>();
    private volatile boolean set;

    /** Everybody ends after the operation in hand. */
    public void set() {
        set = true;
    }

    /** As {@link #set}, because an actor failed; the first failure is kept. */
    public void fail(final String actor, final Throwable cause) {
        failure.compareAndSet(null, new ActorFailure(actor, cause));
        set = true;
    }

    public boolean isSet() {
        return set;
    }

    /** Whether an actor failed. */
    public boolean isFailed() {
        return failure.get() != null;
    }

    /** Throws the failure, if any. */
    public void throwIfFailed() {
        if (failure.get() != null) {
            throw failure.get();
        }
    }
}
