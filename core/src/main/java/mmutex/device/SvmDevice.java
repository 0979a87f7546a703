package mmutex.device;

import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.sync.DriverLock;

/**
 * A device that computes on the shared virtual memory of one address space: lanes, a page table, a fault buffer.
 *
 * <p>All lanes are executed by one engine, the device's worker, so atomics of one device are atomic among themselves, as
 * they are in a GPU's cache; against CPUs and other devices they are not, unless the page is exclusive.
 */
public final class SvmDevice {
    private final int id;
    private final Platform platform;
    private final AddressSpace space;
    private final DevicePageTable table;
    private final DriverLock lock;
    private final FaultQueue faults;
    private final List<DeviceLane> lanes;
    private final DeviceWorker worker;
    private final SvmDriver driver;

    /**
     * Creates a device on an address space; {@link #attach} subscribes it.
     *
     * @param id positive, unique among the machine's devices: also the owner cookie of its conversions
     * @param workerId the worker's actor id
     * @param laneCount lanes, at least 1
     * @param delivery how notifications reach it
     * @param ringCapacity records on its ring, a power of two
     * @param driverSpec how its driver works; the quirks are those of the space's platform
     * @param clock monotonic nanoseconds, for the driver's time bound
     */
    public SvmDevice(
            final int id,
            final int workerId,
            final AddressSpace space,
            final int laneCount,
            final Delivery delivery,
            final int ringCapacity,
            final DriverSpec driverSpec,
            final LongSupplier clock) {
        this.id = id;
        this.space = space;
        this.platform = space.platform();
        this.table = new DevicePageTable(platform, 1);
        this.lock = new DriverLock(id);
        this.faults = new FaultQueue(driverSpec.faultCapacity());
        this.lanes = IntStream.range(0, laneCount)
                .mapToObj(i -> new DeviceLane(this, i, table.window(0)))
                .toList();
        this.worker = new DeviceWorker(workerId, "device" + (id - 1), this);
        this.driver = new SvmDriver(this, delivery, ringCapacity, driverSpec, clock);
    }

    public int id() {
        return id;
    }

    /** Cookie that the device passes to make, and knows its own events by. */
    public long owner() {
        return id;
    }

    public Platform platform() {
        return platform;
    }

    /** The memory it computes on. */
    public AddressSpace space() {
        return space;
    }

    public DevicePageTable table() {
        return table;
    }

    /** Orders the device table. */
    public DriverLock lock() {
        return lock;
    }

    FaultQueue faults() {
        return faults;
    }

    public List<DeviceLane> lanes() {
        return lanes;
    }

    /** The thread that executes lanes, resolves faults and serves notifications. */
    public DeviceWorker worker() {
        return worker;
    }

    public SvmDriver driver() {
        return driver;
    }

    /**
     * Subscribes the driver to the address space.
     *
     * @throws IllegalStateException if a fatal signal of the task came first
     */
    public void attach(final Task task) {
        driver.attach(task);
    }

    /**
     * Unsubscribes it, from any thread: faults in flight are finished, later ones are cancelled, nothing stays mapped.
     * The worker goes on until its owner stops it.
     */
    public void detach(final Task task) {
        driver.detach(task);
        lock.lock(task);
        table.erase(task, 0, table.pageLimit());
        lock.unlock(task);
    }

    /** Gives the tables of a detached device back; the worker has stopped, or is the caller. */
    public void free() {
        table.free();
    }
}
