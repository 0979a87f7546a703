package mmutex.machine;

import mmutex.device.DriverSpec;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;
import mmutex.sync.AccessWindows;

/**
 * What a machine consists of; immutable and checked.
 *
 * @param profile kernel behaviour
 * @param architecture name of the entry encoding without its kernel version, for example {@code x86-64}
 * @param delivery how notifications reach devices
 * @param cpus CPUs, 1 to 64
 * @param frames page frames of memory, at least 16
 * @param tables page tables at most, CPU and device together, at least 16
 * @param ringCapacity records on a device's invalidation ring, a power of two
 * @param driver how devices' drivers work, the notifier protocol among it
 */
public record MachineSpec(
        SemanticProfile profile,
        String architecture,
        Delivery delivery,
        int cpus,
        long frames,
        long tables,
        int ringCapacity,
        DriverSpec driver) {
    private static final long FRAMES_MIN = 16;
    private static final long FRAMES_MAX = 1L << 34;
    private static final long TABLES_MAX = 1L << 30;

    public MachineSpec {
        check("cpus", cpus, 1, AccessWindows.CPUS_MAX);
        check("frames", frames, FRAMES_MIN, FRAMES_MAX);
        check("tables", tables, FRAMES_MIN, TABLES_MAX);
        check("ringCapacity", ringCapacity, 1, 1 << 20);
        if (Integer.bitCount(ringCapacity) != 1) {
            throw new IllegalArgumentException("ringCapacity must be a power of two: ringCapacity=" + ringCapacity);
        }
    }

    /** With drivers as they are by default. */
    public MachineSpec(
            final SemanticProfile profile,
            final String architecture,
            final Delivery delivery,
            final int cpus,
            final long frames,
            final long tables,
            final int ringCapacity) {
        this(profile, architecture, delivery, cpus, frames, tables, ringCapacity, DriverSpec.defaults());
    }

    /** Two CPUs, ring delivery, Linux 6.12 on x86-64, 1 GiB of frames, tables for 1 TiB. */
    public static MachineSpec defaults() {
        return new MachineSpec(SemanticProfile.K612, "x86-64", Delivery.RING, 2, 1L << 18, 1L << 21, 64);
    }

    public MachineSpec withProfile(final SemanticProfile newProfile) {
        return new MachineSpec(newProfile, architecture, delivery, cpus, frames, tables, ringCapacity, driver);
    }

    public MachineSpec withDelivery(final Delivery newDelivery) {
        return new MachineSpec(profile, architecture, newDelivery, cpus, frames, tables, ringCapacity, driver);
    }

    public MachineSpec withCpus(final int newCpus) {
        return new MachineSpec(profile, architecture, delivery, newCpus, frames, tables, ringCapacity, driver);
    }

    public MachineSpec withFrames(final long newFrames) {
        return new MachineSpec(profile, architecture, delivery, cpus, newFrames, tables, ringCapacity, driver);
    }

    public MachineSpec withRingCapacity(final int newCapacity) {
        return new MachineSpec(profile, architecture, delivery, cpus, frames, tables, newCapacity, driver);
    }

    /** By which generation of notifiers drivers follow changes of memory. */
    public Protocol protocol() {
        return driver.protocol();
    }

    public MachineSpec withProtocol(final Protocol newProtocol) {
        return withDriver(driver.withProtocol(newProtocol));
    }

    public MachineSpec withDriver(final DriverSpec newDriver) {
        return new MachineSpec(profile, architecture, delivery, cpus, frames, tables, ringCapacity, newDriver);
    }

    private static void check(final String name, final long value, final long min, final long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + " must be " + min + " to " + max + ", was " + value);
        }
    }
}
