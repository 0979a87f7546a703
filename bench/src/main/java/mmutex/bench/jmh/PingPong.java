package mmutex.bench.jmh;

import java.util.concurrent.atomic.AtomicLong;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceOperation;
import mmutex.device.DeviceWorker;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;

/**
 * A page that a device makes exclusive again whenever it has lost it, while CPUs touch it: device and CPUs at full speed.
 *
 * <p>The device's thread is this class's own, not one of JMH's: with RING it has to answer as long as any CPU may ask,
 * also when JMH ends an iteration.
 *
 * <p>Threads: each CPU by one.
 */
final class PingPong {
    /** The contended page's address; the page behind it is mapped as well, and nobody's. */
    static final long PAGE = 0x10000;

    private static final long PAGE_SIZE = 4096;
    private static final long FRAMES = 4096;

    private final Machine machine;
    private final Process process;
    private final SvmDevice device;
    private final Thread engine = new Thread(this::serve, "engine");
    private final AtomicLong children = new AtomicLong();
    private final long firstTouches;
    private volatile boolean stopping;

    /** Returns when the device has the page: the next access of a CPU faults. */
    PingPong(final Delivery delivery, final int cpus, final String profile) {
        machine = new Machine(MachineSpec.defaults()
                .withCpus(cpus)
                .withFrames(FRAMES)
                .withProfile(SemanticProfile.byName(profile))
                .withDelivery(delivery));
        process = machine.newProcess();
        for (int i = 0; i < cpus; i++) {
            machine.cpu(i).run(process);
        }
        require(
                process.mmap(machine.cpu(0), PAGE, 2 * PAGE_SIZE, VmFlags.READ | VmFlags.WRITE) == Errno.OK,
                "mmap failed");
        add(0);
        require(machine.cpu(0).storeLong(PAGE + PAGE_SIZE, 1) == Signal.NONE, "the neighbour could not be touched");
        firstTouches = machine.cpu(0).faults();
        device = machine.newDevice(machine.newTask("opener"), process, 1, System::nanoTime);
        device.lanes().get(0).start(lane -> {
            lane.modifyLong(PAGE, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0);
            return true;
        });
        engine.setDaemon(true);
        engine.start();
        while (machine.platform()
                .encoding()
                .isPresent(process.space().pageTable().peek(PAGE))) {
            Thread.yield(); // ends: no CPU touches the page yet
        }
    }

    Machine machine() {
        return machine;
    }

    Process process() {
        return process;
    }

    /** A CPU adds to the page. */
    void add(final int cpu) {
        if (machine.cpu(cpu).fetchAddLong(PAGE, 1) != Signal.NONE) {
            throw new IllegalStateException("a CPU's access failed");
        }
    }

    /** Faults of a CPU since the device began; its own thread asks. */
    long faults(final int cpu) {
        return machine.cpu(cpu).faults() - (cpu == 0 ? firstTouches : 0);
    }

    /** Forks that succeeded: each took the page from the device if it had it. */
    long children() {
        return children.get();
    }

    /** Rounds that the device's driver had to repeat: a glance from another thread, exact once it is closed. */
    long retries() {
        return device.driver().retries();
    }

    /** Makes the page behind read-only, and writable again; the mapping is split and merged under the lock for writing. */
    void protectNeighbour(final Task task) {
        final long neighbour = PAGE + PAGE_SIZE;
        require(process.mprotect(task, neighbour, PAGE_SIZE, VmFlags.READ) == Errno.OK, "mprotect failed");
        require(
                process.mprotect(task, neighbour, PAGE_SIZE, VmFlags.READ | VmFlags.WRITE) == Errno.OK,
                "mprotect failed");
    }

    /** Forks a child that exits, reaped before if asked; false if fork was refused, as it may be on an exclusive page. */
    boolean forkAndExit(final Task task, final boolean reaped) {
        final Process.Forked forked = process.fork(task);
        if (forked.errno() != Errno.OK) {
            return false;
        }
        children.incrementAndGet();
        if (reaped) {
            require(forked.child().reap(task) == Errno.OK, "a process that nobody runs could not be reaped");
        }
        forked.child().exit(task);
        return true;
    }

    /** Ends the device's thread, and fails if it had a fault cancelled: it would have stood still since. */
    void close() throws InterruptedException {
        stopping = true;
        device.worker().wake();
        engine.join();
        require(!device.lanes().get(0).isCancelled(), "the device's lane was cancelled");
    }

    private void serve() {
        final DeviceWorker worker = device.worker();
        while (!stopping) {
            if (!worker.work()) {
                worker.idle();
            }
        }
        worker.stop();
    }

    private static void require(final boolean right, final String what) {
        if (!right) {
            throw new IllegalStateException(what);
        }
    }
}
