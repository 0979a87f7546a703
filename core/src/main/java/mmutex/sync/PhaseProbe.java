package mmutex.sync;

/**
 * Told where an actor is on the two paths that mmutex exists to measure. Core never reads a clock; whoever measures
 * installs a probe that does.
 *
 * <p>Threads: called by the actor's own thread.
 */
public interface PhaseProbe {
    /** Measures nothing. */
    PhaseProbe NONE = new PhaseProbe() {
        @Override
        public void begin(final Path path) {}

        @Override
        public void mark(final Phase phase) {}

        @Override
        public void end(final Path path, final boolean done) {}
    };

    /** A path begins. */
    void begin(Path path);

    /** A phase of the current path is over; time since the previous call belongs to it. */
    void mark(Phase phase);

    /**
     * The path ends.
     *
     * @param done false if it did not run to its end (had to be retried, failed)
     */
    void end(Path path, boolean done);

    /** The measured paths. */
    enum Path {
        /** From a CPU's fault on an exclusive entry to the restored entry and the end of the notification. */
        RESTORE,
        /** From a driver's first step for an atomic fault to the programmed device entry. */
        MAKE
    }

    /** The phases of the paths, in order. */
    enum Phase {
        /** RESTORE: fault entry: VMA look-up, walk, dispatch. */
        FAULT_ENTRY,
        /** RESTORE: reference and page lock. */
        PAGE_LOCK,
        /** RESTORE: notifier start until every subscriber has acknowledged. */
        NOTIFY,
        /** RESTORE: the entry is put back under the leaf-table lock. */
        PTE_RESTORE,
        /** RESTORE: page unlock and notifier end. */
        NOTIFY_END,
        /** MAKE: sequence and mmap lock. */
        BEGIN,
        /** MAKE: get_user_pages. */
        GET_PAGE,
        /** MAKE: page lock, notification of others, entry cleared. */
        CONVERT,
        /** MAKE: shoot-down of the CPUs. */
        FLUSH,
        /** MAKE: driver lock, sequence check, device entry stored. */
        PROGRAM
    }
}
