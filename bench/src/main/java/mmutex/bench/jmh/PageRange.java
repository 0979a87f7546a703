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
import mmutex.notify.IntervalSubscription;
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
    private static final long BYSTANDERS = 1L << 40;

    private final Cpu cpu;
    private final Task maker;
    private final AddressSpace space;
    private final Platform platform;
    private final SvmDevice device;
    private final Thread engine;
    private final long[] addresses;
    private final Machine machine;
    private final Process process;
    private final long[] converted;
    private volatile long batchesAsked;
    private volatile long batchesMade;
    private volatile boolean stopping;

    /** Builds the machine and touches the pages. */
    PageRange(final Subscriber subscriber) {
        this(subscriber, PAGES);
    }

    PageRange(final Subscriber subscriber, final int pages) {
        this(RangeSpec.of(subscriber, pages));
    }

    PageRange(final Subscriber subscriber, final int pages, final Protocol protocol) {
        this(RangeSpec.of(subscriber, pages).withProtocol(protocol));
    }

    PageRange(final RangeSpec spec) {
        final Subscriber subscriber = spec.subscriber();
        machine = new Machine(MachineSpec.defaults()
                .withCpus(1)
                .withFrames(4L * spec.pages() + 64)
                .withProfile(spec.profile())
                .withProtocol(spec.protocol())
                .withDelivery(subscriber == Subscriber.RING ? Delivery.RING : Delivery.INLINE));
        cpu = machine.cpu(0);
        maker = machine.newTask("maker");
        platform = machine.platform();
        process = machine.newProcess();
        space = process.space();
        cpu.run(process);
        addresses = new long[spec.pages()];
        converted = new long[spec.pages()];
        for (int i = 0; i < spec.pages(); i++) {
            final long page = START + ((long) i + i / spec.rangePages() << PAGE_SHIFT);
            if (i % spec.rangePages() == 0) {
                map(page, spec.rangePages());
            }
            // A line of its own for each page, and not the same one in each: lines a page apart share a cache set.
            addresses[i] = page + (i & LINES_MASK) * LINE_LENGTH;
        }
        takeAll();
        device = subscriber == Subscriber.NONE ? null : machine.newDevice(maker, process, 1, System::nanoTime);
        for (int i = 0; i < spec.bystanders(); i++) {
            final IntervalSubscription bystander = new IntervalSubscription((actor, guard, range, sequence) -> true);
            final long start = BYSTANDERS + ((long) i << PAGE_SHIFT);
            check(space.insert(maker, bystander, start, 1L << PAGE_SHIFT) == Errno.OK, "subscribe");
        }
        engine = subscriber == Subscriber.RING ? new Thread(this::serve, "engine") : null;
        if (engine != null) {
            engine.setDaemon(true);
            engine.start();
        }
    }

    Cpu cpu() {
        return cpu;
    }

    /** The task that makes pages exclusive and calls the system, where there is no device's thread for it. */
    Task maker() {
        return maker;
    }

    Machine machine() {
        return machine;
    }

    Process process() {
        return process;
    }

    /** First byte of the first page. */
    long start() {
        return START;
    }

    /** Bytes from the first page to the end of the last, where they are one mapping. */
    long length() {
        return (long) addresses.length << PAGE_SHIFT;
    }

    /** Maps the pages anew; nothing may be mapped there. */
    void mapAgain() {
        map(START, addresses.length);
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

    /** As {@link #takeAll}, by one kind of access. */
    void takeAll(final Touch touch) {
        switch (touch) {
            case READ:
                readAll();
                break;
            case WRITE:
                writeAll();
                break;
            default:
                takeAll();
        }
    }

    private void readAll() {
        final Cpu self = cpu;
        for (final long addr : addresses) {
            check(self.loadLong(addr) == Signal.NONE, "read");
        }
    }

    private void writeAll() {
        final Cpu self = cpu;
        for (final long addr : addresses) {
            check(self.storeLong(addr, 1) == Signal.NONE, "write");
        }
    }

    /**
     * Makes consecutive pages of one mapping exclusive, by one call of the maker where the kernel has one for several, and
     * gives locks and references back.
     */
    void convert(final int first, final int count, final long owner) {
        final long page = addresses[first] & -platform.pageSize();
        space.mmapLock().readLock(maker);
        if (platform.profile().makeOnePage()) {
            for (int i = 0; i < count; i++) {
                converted[i] = ExclusiveMaker.makeOne(maker, space, page + ((long) i << PAGE_SHIFT), owner);
            }
        } else {
            check(ExclusiveMaker.makeRange(maker, space, page, count, owner, converted) == count, "make");
        }
        space.mmapLock().readUnlock(maker);
        for (int i = 0; i < count; i++) {
            check(converted[i] >= 0, "make");
            platform.unlockPage(maker, converted[i]);
            platform.putPage(converted[i]);
        }
    }

    /** Makes one page exclusive. */
    void give(final int page) {
        make(addresses[page]);
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
        convertOne(addr & -platform.pageSize());
    }

    private void convertOne(final long page) {
        space.mmapLock().readLock(maker);
        final long pfn;
        if (platform.profile().makeOnePage()) {
            pfn = ExclusiveMaker.makeOne(maker, space, page, OWNER);
        } else {
            check(ExclusiveMaker.makeRange(maker, space, page, 1, OWNER, converted) == 1, "make");
            pfn = converted[0];
        }
        space.mmapLock().readUnlock(maker);
        check(pfn >= 0, "make");
        platform.unlockPage(maker, pfn);
        platform.putPage(pfn);
    }

    private void map(final long start, final int pages) {
        final long length = (long) pages << PAGE_SHIFT;
        check(process.mmap(cpu, start, length, VmFlags.READ | VmFlags.WRITE) == Errno.OK, "mmap");
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
            throw new IllegalStateException("a benchmark's call failed: " + what);
        }
    }
}
