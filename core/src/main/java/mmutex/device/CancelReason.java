package mmutex.device;

import mmutex.mm.Errno;

/** Why a device's fault was cancelled; on hardware it kills the channel. */
public enum CancelReason {
    /** The page can't be had for this access: no memory there, not permitted, no frame left. */
    NO_PAGE,
    /** Every round collided with somebody until the time was over. */
    TIME_OVER,
    /** The address space is gone. */
    NO_USERS,
    /** The device has no room for the table that the entry would be in. */
    NO_TABLE,
    /** A fatal signal. */
    INTERRUPTED,
    /** The device was detached. */
    DETACHED;

    /** The reason that a driver's result stands for; null for success. */
    static CancelReason of(final Errno result) {
        switch (result) {
            case OK:
                return null;
            case EBUSY:
                return TIME_OVER;
            case EFAULT:
                return NO_USERS;
            case ENOMEM:
                return NO_TABLE;
            case EINTR:
                return INTERRUPTED;
            default:
                return NO_PAGE;
        }
    }
}
