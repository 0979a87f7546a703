package mmutex.bench.targets;

import mmutex.device.DevicePageTable;
import mmutex.device.DevicePte;
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
import mmutex.notify.IntervalCallback;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;
import mmutex.sync.DriverLock;

/**
 * The full protocol with one INLINE subscriber: a driver in the manner of Documentation/mm/hmm.rst, whose range stays inserted
 * over all of its pages, so that nothing but the protocol is in the way. (The emulator's own driver inserts a range for each
 * fault and listens to everything besides, as nouveau does.)
 *
 * <p>Threads: one; it is CPU and driver.
 */
final class OneSubscriber implements IntervalCallback {
    private static final long START = 0x10000;
    private static final int PAGE_SHIFT = 12;
    private static final long OWNER = 99;
    private static final int LINES = 64;

    private final Cpu cpu;
    private final Task maker;
    private final AddressSpace space;
    private final Platform platform;
    private final DevicePageTable table;
    private final DriverLock lock = new DriverLock(1);
    private final IntervalSubscription range = new IntervalSubscription(this);
    private final long[] addresses;
    private final long[] frames;

    OneSubscriber(final int pages) {
        final Machine machine = new Machine(
                MachineSpec.defaults().withCpus(1).withFrames(pages + 64L).withDelivery(Delivery.INLINE));
        final long length = (long) pages << PAGE_SHIFT;
        cpu = machine.cpu(0);
        maker = machine.newTask("maker");
        platform = machine.platform();
        final Process process = machine.newProcess();
        space = process.space();
        cpu.run(process);
        check(process.mmap(cpu, START, length, VmFlags.READ | VmFlags.WRITE) == Errno.OK, "mmap");
        addresses = new long[pages];
        frames = new long[pages];
        for (int i = 0; i < pages; i++) {
            // A line of its own for each page, and not the same one in each: lines a page apart share a cache set.
            addresses[i] = START + ((long) i << PAGE_SHIFT) + i % LINES * (long) LINES;
        }
        table = new DevicePageTable(platform, 1);
        check(space.insert(maker, range, START, length) == Errno.OK, "insert");
        restore();
    }

    int pages() {
        return addresses.length;
    }

    /** Page faults so far: one a restored page. */
    long faults() {
        return cpu.faults();
    }

    // ---- the driver ---------------------------------------------------------------------------------------------

    @Override
    public boolean isOwn(final NotifierRange event) {
        return event.event() == NotifierEvent.EXCLUSIVE && event.owner() == OWNER;
    }

    @Override
    public boolean invalidate(
            final Actor actor, final RangeGuard guard, final NotifierRange event, final long sequence) {
        if (isOwn(event)) {
            return true;
        }
        if (event.isBlockable()) {
            lock.lock(actor);
        } else if (!lock.tryLock(actor)) {
            return false;
        }
        guard.setSeq(sequence);
        table.erase(actor, event.start() >>> PAGE_SHIFT, (event.end() - 1 >>> PAGE_SHIFT) + 1);
        lock.unlock(actor);
        return true;
    }

    /** Makes consecutive pages exclusive by one call, and maps them. */
    private void makeRange(final int first, final int count) {
        final long start = START + ((long) first << PAGE_SHIFT);
        boolean mapped = false;
        while (!mapped) { // ends: nobody else changes anything
            final long sample = range.readBegin(maker);
            space.mmapLock().readLock(maker);
            final int got = ExclusiveMaker.makeRange(maker, space, start, count, OWNER, frames);
            space.mmapLock().readUnlock(maker);
            check(got == count, "make");
            lock.lock(maker);
            mapped = !range.readRetry(sample);
            for (int i = 0; mapped && i < count; i++) {
                final long entry = DevicePte.of(frames[i], DevicePte.WRITE | DevicePte.ATOMIC);
                check(table.store((start >>> PAGE_SHIFT) + i, entry), "map");
            }
            lock.unlock(maker);
            for (int i = 0; i < count; i++) {
                platform.unlockPage(maker, frames[i]);
                platform.putPage(frames[i]);
            }
        }
    }

    // ---- what is measured ---------------------------------------------------------------------------------------

    /** Page by page. */
    void make() {
        for (int i = 0; i < addresses.length; i++) {
            makeRange(i, 1);
        }
    }

    /** All pages at once. */
    void makeAtOnce() {
        makeRange(0, addresses.length);
    }

    /** By a fetch-and-add on each. */
    void restore() {
        for (final long addr : addresses) {
            restore(addr);
        }
    }

    /** Makes and restores page by page. */
    void pair() {
        for (int i = 0; i < addresses.length; i++) {
            makeRange(i, 1);
            restore(addresses[i]);
        }
    }

    /** A load of each, so many times. */
    long load(final int times) {
        long sum = 0;
        for (int time = 0; time < times; time++) {
            for (final long addr : addresses) {
                check(cpu.loadLong(addr) == Signal.NONE, "load");
                sum += cpu.value();
            }
        }
        return sum;
    }

    private void restore(final long addr) {
        check(cpu.fetchAddLong(addr, 1) == Signal.NONE, "access");
    }

    private static void check(final boolean done, final String what) {
        if (!done) {
            throw new IllegalStateException("a measured operation failed: " + what);
        }
    }
}
