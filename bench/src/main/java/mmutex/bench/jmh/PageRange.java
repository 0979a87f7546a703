package mmutex.bench.jmh;

import mmutex.device.DeviceAccess;
import mmutex.device.DeviceWorker;
import mmutex.device.SvmDevice;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;

/**
 * A machine with one CPU, one process with a range of touched pages, and at most one device: gives the pages to the
 * device, and takes them back by touching them.
 *
 * <p>Threads: one, the CPU's. With {@link Subscriber#RING} a second one serves the device's ring, and converts pages when
 * asked to, until {@link #close}.
 */
final class PageRange {
    /** Pages in the range. */
    static final int PAGES = 256;

    private static final long START = 0x10000;
    private static final int PAGE_SHIFT = 12;
    private static final int LINE_LENGTH = 64;
    private static final int LINES_MASK = 63;
    private static final long OWNER = 99;

    private final Cpu cpu;
    private final Task maker;
    private final AddressSpace space;
    private final Platform platform;
    private final SvmDevice device;
    private final Thread engine;
    private final long[] addresses;
    private final long[] onePage = new long[1];
    private volatile long batchesAsked;
    private volatile long batchesMade;
    private volatile boolean stopping;

    /** Builds the machine and touches the pages. */
    PageRange(final Subscriber subscriber) {
        this(subscriber, PAGES);
    }

    PageRange(final Subscriber subscriber, final int pages) {
        this(subscriber, pages, Protocol.INTERVAL);
    }

    PageRange(final Subscriber subscriber, final int pages, final Protocol protocol) {
        final Machine machine = new Machine(MachineSpec.defaults()
                .withCpus(1)
                .withFrames(4L * pages + 64)
                .withProtocol(protocol)
                .withDelivery(subscriber == Subscriber.RING ? Delivery.RING : Delivery.INLINE));
        cpu = machine.cpu(0);
        maker = machine.newTask("maker");
        platform = machine.platform();
        final Process process = machine.newProcess();
        space = process.space();
        cpu.run(process);
        check(process.mmap(cpu, START, (long) pages << PAGE_SHIFT, VmFlags.READ | VmFlags.WRITE) == Errno.OK, "mmap");
        addresses = new long[pages];
        for (int i = 0; i < pages; i++) {
            // A line of its own for each page, and not the same one in each: lines a page apart share a cache set.
            addresses[i] = START + ((long) i << PAGE_SHIFT) + (i & LINES_MASK) * LINE_LENGTH;
        }
        takeAll();
        device = subscriber == Subscriber.NONE ? null : machine.newDevice(maker, process, 1, System::nanoTime);
        engine = subscriber == Subscriber.RING ? new Thread(this::serve, "engine") : null;
        if (engine != null) {
            engine.setDaemon(true);
            engine.start();
        }
    }

    Cpu cpu() {
        return cpu;
    }

    /** The device's; there must be one. */
    DeviceWorker worker() {
        return device.worker();
    }

    /** An address in each page. */
    long[] addresses() {
        return addresses;
    }

    /** Makes all pages exclusive; with a device, through its driver. */
    void giveAll() {
        if (engine == null) {
            makeAll();
            return;
        }
        final long batch = batchesAsked + 1;
        batchesAsked = batch;
        device.worker().wake();
        while (batchesMade != batch) { // ends: the engine looks at the request in every round
            Thread.yield();
        }
    }

    /** Touches all pages: those that are exclusive are restored. */
    void takeAll() {
        final Cpu self = cpu;
        for (final long addr : addresses) {
            if (self.fetchAddLong(addr, 1) != Signal.NONE) {
                throw new IllegalStateException("a benchmark's access failed: addr=0x" + Long.toHexString(addr));
            }
        }
    }

    /** Makes one page exclusive, and takes it back. */
    void giveAndTake(final int page) {
        make(addresses[page]);
        cpu.fetchAddLong(addresses[page], 1);
    }

    /** Page faults taken so far: a batch of restores takes one a page. */
    long faults() {
        return cpu.faults();
    }

    /** Ends the device's thread. */
    void close() throws InterruptedException {
        if (engine != null) {
            stopping = true;
            device.worker().wake();
            engine.join();
        }
    }

    private void makeAll() {
        for (final long addr : addresses) {
            make(addr);
        }
    }

    private void make(final long addr) {
        if (device != null) {
            check(device.driver().resolve(device.worker(), addr, DeviceAccess.ATOMIC) == Errno.OK, "make");
            return;
        }
        final long page = addr & -platform.pageSize();
        space.mmapLock().readLock(maker);
        check(ExclusiveMaker.makeRange(maker, space, page, 1, OWNER, onePage) == 1, "make");
        space.mmapLock().readUnlock(maker);
        platform.unlockPage(maker, onePage[0]);
        platform.putPage(onePage[0]);
    }

    private void serve() {
        final DeviceWorker worker = device.worker();
        while (!stopping) {
            final long batch = batchesAsked;
            if (batch != batchesMade) {
                makeAll();
                batchesMade = batch;
            } else if (!worker.work()) {
                worker.idle();
            }
        }
        worker.stop();
    }

    private static void check(final boolean done, final String what) {
        if (!done) {
            throw new IllegalStateException("a benchmark's preparation failed: " + what);
        }
    }
}
