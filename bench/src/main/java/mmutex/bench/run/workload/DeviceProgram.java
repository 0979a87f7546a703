package mmutex.bench.run.workload;

import mmutex.device.DeviceLane;

/** What a device's lane executes. Used by one thread. */
@FunctionalInterface
public interface DeviceProgram {
    /**
     * Performs one operation, or a part of one, or tries to.
     *
     * @return whether an operation is complete now; after false the program must be stepped again before it may be left
     */
    boolean step(DeviceLane lane);
}
