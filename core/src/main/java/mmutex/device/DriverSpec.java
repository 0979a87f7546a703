package mmutex.device;

import java.util.Set;
import mmutex.mm.Quirk;
import mmutex.notify.Protocol;

/**
 * How devices' drivers work; immutable and checked.
 *
 * @param protocol by which they follow changes of memory
 * @param retryPolicy what they do between two rounds of an atomic fault
 * @param faultCapacity faults that a device's buffer holds, a power of two, 2 to 65536; a lane whose fault finds no room
 *     faults again
 * @param quirks defects of the kernel that are wanted, those of drivers and those of the notifiers under them
 */
public record DriverSpec(Protocol protocol, RetryPolicy retryPolicy, int faultCapacity, Set<Quirk> quirks) {
    private static final int FAULTS_MIN = 2;
    private static final int FAULTS_MAX = 1 << 16;

    public DriverSpec {
        if (faultCapacity < FAULTS_MIN || faultCapacity > FAULTS_MAX || Integer.bitCount(faultCapacity) != 1) {
            throw new IllegalArgumentException("faultCapacity must be a power of two, " + FAULTS_MIN + " to "
                    + FAULTS_MAX + ": faultCapacity=" + faultCapacity);
        }
        quirks = Set.copyOf(quirks);
    }

    /** Interval notifiers, pages repaired before a retry, 1024 faults, no quirks. */
    public static DriverSpec defaults() {
        return new DriverSpec(Protocol.INTERVAL, RetryPolicy.PREFAULT, 1024, Set.of());
    }

    public DriverSpec withProtocol(final Protocol newProtocol) {
        return new DriverSpec(newProtocol, retryPolicy, faultCapacity, quirks);
    }

    public DriverSpec withRetryPolicy(final RetryPolicy newPolicy) {
        return new DriverSpec(protocol, newPolicy, faultCapacity, quirks);
    }

    public DriverSpec withFaultCapacity(final int newCapacity) {
        return new DriverSpec(protocol, retryPolicy, newCapacity, quirks);
    }

    /** With these quirks and no others. */
    public DriverSpec withQuirks(final Quirk... wanted) {
        return new DriverSpec(protocol, retryPolicy, faultCapacity, Set.of(wanted));
    }
}
