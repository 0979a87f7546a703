package mmutex.device;

import java.util.List;
import mmutex.mm.Task;
import mmutex.sync.Wait;

/**
 * The thread of a device: executes its lanes, resolves their faults, serves its invalidation ring. Core makes no threads;
 * whoever owns one calls {@link #work} in a loop, and {@link #idle} when there was nothing to do.
 */
public final class DeviceWorker extends Task {
    /** Operations of one lane between two looks at the ring: bounds what an acknowledgement waits for. */
    private static final int LANE_SLICE = 8;

    private final SvmDevice device;
    private Wait idleWait;
    private int nextLane;

    DeviceWorker(final int id, final String name, final SvmDevice device) {
        super(id, name);
        this.device = device;
    }

    /** Serves the ring, resolves a batch of faults, and lets every lane go on for a while. Returns whether it did any. */
    public boolean work() {
        boolean worked = serveWhileWaiting();
        worked |= device.driver().serviceFaults(this);
        final List<DeviceLane> lanes = device.lanes();
        for (int i = 0; i < lanes.size(); i++) {
            final DeviceLane lane = lanes.get(nextLane);
            nextLane = nextLane + 1 == lanes.size() ? 0 : nextLane + 1;
            int slice = LANE_SLICE;
            while (slice > 0 && lane.step()) {
                slice--;
            }
            if (slice < LANE_SLICE) {
                worked = true;
                serveWhileWaiting();
            }
        }
        if (worked && idleWait != null) {
            idleWait.finish();
            idleWait = null;
        }
        return worked;
    }

    /** Waits a little for something to do; the ring's producers and {@link #wake} end it. */
    public void idle() {
        if (idleWait == null) {
            idleWait = startWait(null, id());
        }
        idleWait.pause();
    }

    /** Ends the work, for good: the last call of the worker's thread. */
    public void stop() {
        if (idleWait != null) {
            idleWait.finish();
            idleWait = null;
        }
        device.driver().stopServing();
    }

    /** Whether every lane's program has ended. */
    public boolean isFinished() {
        for (final DeviceLane lane : device.lanes()) {
            if (!lane.isFinished()) {
                return false;
            }
        }
        return true;
    }

    @Override
    protected boolean serveWhileWaiting() {
        return device.driver().serveRing();
    }
}
