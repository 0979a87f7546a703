package mmutex.bench.run;

/**
 * How long an actor computes before it offers its core to others.
 *
 * <p>Where actors outnumber cores, a thread that computes keeps its core for a time slice of milliseconds, and whoever
 * waits for a thread without a core waits as long. Emulated processors are no reason for that: an actor that yields
 * often keeps every hand-over in the range of microseconds. Where each actor has a core nobody yields.
 *
 * <p>Used by one thread.
 */
final class Quantum {
    /** Long against a switch of threads (1 to 2 us), short against what a scheduler would grant. */
    static final long LENGTH_NS = 20_000;

    private final long lengthNs;
    private long since;

    /** A quantum of so many nanoseconds; 0 never yields. */
    Quantum(final long lengthNs) {
        this.lengthNs = lengthNs;
        this.since = System.nanoTime() - lengthNs; // spent: the clock may have begun at any value, zero included
    }

    /** The length for so many actors on so many cores. */
    static long lengthNs(final int actors, final int cores) {
        return actors > cores ? LENGTH_NS : 0;
    }

    /** Called between operations, every now and then; {@code now} is {@link System#nanoTime}. Returns whether it yielded. */
    boolean spend(final long now) {
        if (lengthNs == 0 || now - since < lengthNs) {
            return false;
        }
        Thread.yield();
        since = System.nanoTime();
        return true;
    }
}
