package mmutex.bench.torture;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import mmutex.bench.run.StopSignal;

/**
 * Lets the referee stop everybody between two operations. Whoever is parked holds nothing and has nothing in flight.
 *
 * <p>Threads: actors pass, one referee closes and opens.
 */
final class Gate {
    private static final long NAP_NS = 50_000;

    private final AtomicInteger parked = new AtomicInteger();
    private final int actors;
    private final StopSignal stop;
    private volatile boolean closed;

    Gate(final int actors, final StopSignal stop) {
        this.actors = actors;
        this.stop = stop;
    }

    boolean isClosed() {
        return closed;
    }

    /** Between two operations of an actor: waits here while the gate is closed. */
    void pass() {
        if (closed) {
            park();
            while (closed) {
                LockSupport.parkNanos(NAP_NS);
            }
            unpark();
        }
    }

    /** For actors that must go on serving others while they are parked. */
    void park() {
        parked.incrementAndGet();
    }

    void unpark() {
        parked.decrementAndGet();
    }

    /** Whether all are parked, be it for ever. */
    boolean isDeserted() {
        return parked.get() >= actors;
    }

    /** Closes and waits for all. Returns false, with the gate open again, if the run was stopped meanwhile. */
    boolean closeAndAwaitAll() {
        closed = true;
        while (parked.get() < actors) {
            if (stop.isSet()) {
                closed = false;
                return false;
            }
            LockSupport.parkNanos(NAP_NS);
        }
        return true;
    }

    void open() {
        closed = false;
    }
}
