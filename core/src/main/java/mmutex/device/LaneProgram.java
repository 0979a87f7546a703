package mmutex.device;

/** What a lane executes. Called by the thread of the lane's engine. */
@FunctionalInterface
public interface LaneProgram {
    /**
     * Performs one operation, or tries to.
     *
     * @return false when the program has ended; the lane is not asked again
     */
    boolean step(DeviceLane lane);
}
