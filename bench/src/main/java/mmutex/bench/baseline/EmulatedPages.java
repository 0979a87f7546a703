package mmutex.bench.baseline;

import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.notify.Delivery;

/**
 * Ours: one process on a machine of Linux 6.12, devices subscribed to it, callbacks in place. A make is the driver's whole
 * atomic fault, a restore the CPU's whole page fault.
 */
public final class EmulatedPages implements ExclusivePages {
    private static final long START = 0x10000;
    private static final int PAGE_SHIFT = 12;
    private static final int LINE_LENGTH = 64;
    private static final int LINES_MASK = 63;
    private static final long SPARE_FRAMES = 1024;

    private final int pages;
    private final Cpu[] cpus;
    private final SvmDevice[] devices;
    private final long[] faultsAtStart;

    /** Builds the machine and touches all pages. */
    public EmulatedPages(final int pages, final int cpus, final int devices) {
        this.pages = pages;
        this.cpus = new Cpu[cpus];
        this.devices = new SvmDevice[devices];
        this.faultsAtStart = new long[cpus];
        final Machine machine = new Machine(MachineSpec.defaults()
                .withCpus(cpus)
                .withFrames(pages + SPARE_FRAMES)
                .withDelivery(Delivery.INLINE));
        final Process process = machine.newProcess();
        for (int i = 0; i < cpus; i++) {
            this.cpus[i] = machine.cpu(i);
            this.cpus[i].run(process);
        }
        final long length = (long) pages << PAGE_SHIFT;
        check(process.mmap(this.cpus[0], START, length, VmFlags.READ | VmFlags.WRITE) == Errno.OK, "mmap", 0);
        for (int page = 0; page < pages; page++) {
            add(0, page, 0);
        }
        for (int i = 0; i < devices; i++) {
            this.devices[i] = machine.newDevice(machine.newTask("opener" + i), process, 1, System::nanoTime);
            this.devices[i].lanes().get(0).start(lane -> false); // its accesses come from deviceAdd
        }
        for (int i = 0; i < cpus; i++) {
            faultsAtStart[i] = this.cpus[i].faults();
        }
    }

    @Override
    public int pages() {
        return pages;
    }

    @Override
    public long add(final int cpu, final int page, final long delta) {
        final Cpu self = cpus[cpu];
        check(self.fetchAddLong(address(page), delta) == Signal.NONE, "add", page);
        return self.value();
    }

    @Override
    public long read(final int cpu, final int page) {
        final Cpu self = cpus[cpu];
        check(self.loadLong(address(page)) == Signal.NONE, "read", page);
        return self.value();
    }

    @Override
    public void make(final int device, final int page) {
        final SvmDevice self = devices[device];
        check(self.driver().resolve(self.worker(), address(page), DeviceAccess.ATOMIC) == Errno.OK, "make", page);
    }

    /** On a miss through the device's fault buffer, as all of a device's accesses. */
    @Override
    public void deviceAdd(final int device, final int page, final long delta) {
        final SvmDevice self = devices[device];
        final DeviceLane lane = self.lanes().get(0);
        while (!lane.modifyLong(address(page), DeviceAccess.ATOMIC, DeviceOperation.ADD, delta, 0)) {
            self.worker().work(); // ends: resolves the fault, or cancels the lane after the driver's time bound
            check(!lane.isCancelled(), "deviceAdd", page);
        }
    }

    @Override
    public long restores(final int cpu) {
        return cpus[cpu].faults() - faultsAtStart[cpu];
    }

    /** A line of its own for each page, and not the same one in each: lines a page apart share a cache set. */
    private static long address(final int page) {
        return START + ((long) page << PAGE_SHIFT) + (page & LINES_MASK) * LINE_LENGTH;
    }

    private static void check(final boolean done, final String what, final int page) {
        if (!done) {
            throw new IllegalStateException(what + " failed: page=" + page);
        }
    }
}
