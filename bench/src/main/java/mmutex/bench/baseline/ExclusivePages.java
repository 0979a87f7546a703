package mmutex.bench.baseline;

/**
 * Pages that CPUs and devices share, each with one counter: a device adds by load, compute, store, which is only right
 * while no one else can reach the page, so it makes the page exclusive first; a CPU that touches the page takes it back.
 *
 * <p>Threads: each CPU and each device is used by one thread at a time, different ones at once. Page numbers are from 0.
 * A failure is an {@link IllegalStateException}.
 */
public interface ExclusivePages {
    /** How many pages. */
    int pages();

    /** A CPU adds to a page's counter, atomically, and returns what was there; revokes the device that has the page. */
    long add(int cpu, int page, long delta);

    /** A CPU reads a page's counter; revokes the device that has the page. */
    long read(int cpu, int page);

    /** A device gets a page for itself: CPUs and other devices don't reach it until they have taken it back. */
    void make(int device, int page);

    /** A device adds to a page's counter, load, compute, store; makes the page exclusive if it isn't, or no longer. */
    void deviceAdd(int device, int page, long delta);

    /** Pages that a CPU has taken back from a device so far; by the thread of that CPU, or afterwards. */
    long restores(int cpu);
}
