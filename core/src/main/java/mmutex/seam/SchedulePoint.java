package mmutex.seam;

/**
 * The seam: core names each shared-memory step here before it performs it.
 *
 * <p>{@link #ENABLED} is read once from the system property {@code mmutex.schedule}; when it is false every method
 * body is dead code to the JIT. Measured: no difference to code without the calls (see docs/decisions).
 */
public final class SchedulePoint {
    /** Whether a scheduler may be installed in this VM. */
    public static final boolean ENABLED = Boolean.getBoolean("mmutex.schedule");

    private static final Scheduler FREE_RUNNING = new Scheduler() {
        @Override
        public void before(final Step step, final long subject) {}

        @Override
        public void waiting(final long subject) {
            Thread.onSpinWait();
        }
    };

    private static volatile Scheduler scheduler = FREE_RUNNING;

    private SchedulePoint() {}

    /**
     * Installs the scheduler that decides from now on; null removes it.
     *
     * @throws IllegalStateException if the VM was started without {@code -Dmmutex.schedule=true}
     */
    public static void install(final Scheduler decider) {
        if (!ENABLED) {
            throw new IllegalStateException("schedule points are off: start the VM with -Dmmutex.schedule=true");
        }
        scheduler = decider == null ? FREE_RUNNING : decider;
    }

    /** Announces a step. */
    public static void before(final Step step, final long subject) {
        if (ENABLED) {
            scheduler.before(step, subject);
        }
    }

    /** Announces that the caller can't go on; only called when {@link #ENABLED}. */
    public static void waiting(final long subject) {
        if (ENABLED) {
            scheduler.waiting(subject);
        }
    }
}
