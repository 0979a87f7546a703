package mmutex.mm;

import mmutex.sync.Actor;

/**
 * An actor with fault counters: what {@code getrusage(RUSAGE_THREAD)} reports. Faults that GUP or hmm_range_fault take on
 * the task's behalf count too, on whichever address space.
 */
public class Task extends Actor {
    private long minorFaults;
    private long majorFaults;

    public Task(final int id, final String name) {
        super(id, name);
    }

    /** Faults resolved without waiting for anything slow. */
    public final long minorFaults() {
        return minorFaults;
    }

    /** Faults that had to wait. */
    public final long majorFaults() {
        return majorFaults;
    }

    /** Counts a completed fault. */
    public final void countFault(final boolean major) {
        if (major) {
            majorFaults++;
        } else {
            minorFaults++;
        }
    }
}
