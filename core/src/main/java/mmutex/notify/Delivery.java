package mmutex.notify;

/** How a callback reaches a device. */
public enum Delivery {
    /** A record on the device's ring; the device's worker runs the callback and acknowledges. */
    RING,
    /** The callback runs on the invalidating thread, under the driver lock, as in Linux. */
    INLINE
}
