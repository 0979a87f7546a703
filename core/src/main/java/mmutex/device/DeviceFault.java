package mmutex.device;

/** One entry of a fault buffer: what a lane wanted when it missed. Owned by its lane, reused. */
final class DeviceFault {
    final DeviceLane lane;
    long addr;
    DeviceAccess access;

    /** The driver's: why it is cancelled, or null if it is replayed. */
    CancelReason cancelled;

    DeviceFault(final DeviceLane lane) {
        this.lane = lane;
    }
}
