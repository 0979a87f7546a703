package mmutex.seam;

/**
 * Decides who runs when {@link SchedulePoint} is on. Implementations live outside core.
 *
 * <p>Threads: every method is called by the thread that performs the step and returns when that thread may go on.
 */
public interface Scheduler {
    /**
     * The calling thread is about to perform a step.
     *
     * @param step what it is
     * @param subject what it is done to: an off-heap offset, frame number or identity; meaningful with the step only
     */
    void before(Step step, long subject);

    /**
     * The calling thread can't go on until another thread changes something. Returns when it may look again.
     *
     * @param subject what it waits for, as in {@link #before}
     */
    void waiting(long subject);
}
