package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import mmutex.check.InvariantChecker;
import mmutex.device.CancelReason;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.DeviceWorker;
import mmutex.device.DriverSpec;
import mmutex.device.LaneProgram;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.sync.Crew;

/** CPUs and the lanes of one device, each doing so many operations, started together; and those who disturb them. */
final class Contest {
    static final long BASE = 0x4000_0000L;
    static final long PAGE = 4096;

    /** Operations between two yields: tests have more actors than cores. */
    private static final int YIELD_INTERVAL = 32;

    /** What a CPU does in its i-th turn. */
    @FunctionalInterface
    interface CpuTurn {
        void take(Cpu cpu, int i);
    }

    /** What a lane tries in its i-th turn; false if it missed, then the turn is tried again. */
    @FunctionalInterface
    interface LaneTurn {
        boolean take(DeviceLane lane, int i);
    }

    /** 32 or 64 bits. */
    enum Width {
        INT,
        LONG;

        Signal add(final Cpu cpu, final long addr) {
            return this == INT ? cpu.fetchAddInt(addr, 1) : cpu.fetchAddLong(addr, 1);
        }

        Signal exchange(final Cpu cpu, final long addr, final int value) {
            return this == INT ? cpu.exchangeInt(addr, value) : cpu.exchangeLong(addr, value);
        }

        Signal compareAndSet(final Cpu cpu, final long addr, final long expected, final int value) {
            return this == INT
                    ? cpu.compareAndSetInt(addr, (int) expected, value)
                    : cpu.compareAndSetLong(addr, expected, value);
        }

        Signal load(final Cpu cpu, final long addr) {
            return this == INT ? cpu.loadInt(addr) : cpu.loadLong(addr);
        }

        long load(final Contest contest, final long addr) {
            requireNone(load(contest.boot, addr));
            return contest.boot.value();
        }

        boolean modify(
                final DeviceLane lane,
                final long addr,
                final DeviceOperation operation,
                final int operand,
                final int comparand) {
            return this == INT
                    ? lane.modifyInt(addr, DeviceAccess.ATOMIC, operation, operand, comparand)
                    : lane.modifyLong(addr, DeviceAccess.ATOMIC, operation, operand, comparand);
        }
    }

    private final Machine machine;
    private final Process process;
    private final Cpu boot;
    private final SvmDevice device;
    private final int cpus;
    private final Crew crew = new Crew();
    private final List<Consumer<Task>> disturbances = new ArrayList<>();
    private final CountDownLatch ready;
    private final CountDownLatch working;
    private final CountDownLatch done = new CountDownLatch(1);
    private final List<Runnable> starts = new ArrayList<>();

    Contest(final SemanticProfile profile, final Delivery delivery, final int cpus, final int lanes) {
        // The driver's limit for a fault is meant for a driver with a core of its own.
        this(profile, delivery, cpus, lanes, DriverSpec.defaults(), () -> System.nanoTime() / 64);
    }

    /**
     * Creates one.
     *
     * @param clock the driver's
     */
    Contest(
            final SemanticProfile profile,
            final Delivery delivery,
            final int cpus,
            final int lanes,
            final DriverSpec driver,
            final LongSupplier clock) {
        this.cpus = cpus;
        machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(delivery)
                .withFrames(1024)
                .withDriver(driver)
                .withCpus(cpus + 1));
        process = machine.newProcess();
        boot = machine.cpu(cpus);
        boot.run(process);
        device = machine.newDevice(boot, process, lanes, clock);
        ready = new CountDownLatch(cpus + 1);
        working = new CountDownLatch(cpus + 1);
    }

    Process process() {
        return process;
    }

    void map(final long addr, final int pages) {
        assertThat(process.mmap(boot, addr, pages * PAGE, VmFlags.READ | VmFlags.WRITE))
                .isEqualTo(Errno.OK);
    }

    static void requireNone(final Signal signal) {
        if (signal != Signal.NONE) {
            throw new AssertionError("access failed: " + signal);
        }
    }

    /** A CPU's part. */
    void cpu(final int number, final int turns, final CpuTurn turn) {
        final Cpu cpu = machine.cpu(number);
        cpu.run(process);
        starts.add(() -> crew.start(cpu.name(), () -> {
            ready.countDown();
            ready.await();
            for (int i = 0; i < turns; i++) {
                turn.take(cpu, i);
                if (i % YIELD_INTERVAL == 0) {
                    Thread.yield();
                }
            }
            working.countDown();
        }));
    }

    void cpus(final int turns, final CpuTurn turn) {
        for (int i = 0; i < cpus; i++) {
            cpu(i, turns, turn);
        }
    }

    /** A lane's part. */
    void lane(final int number, final int turns, final LaneTurn turn) {
        device.lanes().get(number).start(new LaneProgram() {
            private int i;

            @Override
            public boolean step(final DeviceLane lane) {
                if (turn.take(lane, i)) {
                    i++;
                }
                return i < turns;
            }
        });
    }

    void lanes(final int turns, final LaneTurn turn) {
        for (int i = 0; i < device.lanes().size(); i++) {
            lane(i, turns, turn);
        }
    }

    /** Somebody else's doing, again and again until the contest is over. */
    void disturb(final Consumer<Task> disturbance) {
        disturbances.add(disturbance);
    }

    /** Runs it to the end; no lane may be cancelled. */
    void run() throws InterruptedException {
        runWithCancellations();
        assertThat(device.lanes()).noneMatch(DeviceLane::isCancelled);
    }

    /** Runs it to the end; then each lane has done its part, or was cancelled. */
    void runWithCancellations() throws InterruptedException {
        starts.forEach(Runnable::run);
        crew.start("device", this::compute);
        for (int i = 0; i < disturbances.size(); i++) {
            final Consumer<Task> disturbance = disturbances.get(i);
            final Task task = machine.newTask("disturber" + i);
            crew.start(task.name(), () -> {
                while (done.getCount() != 0) {
                    disturbance.accept(task);
                    Thread.yield();
                }
            });
        }
        crew.start("end", () -> {
            working.await();
            done.countDown();
        });
        crew.join();
        assertThat(device.lanes()).allMatch(DeviceLane::isFinished);
    }

    /** The worker goes on serving notifications until everybody is done. */
    private void compute() throws InterruptedException {
        final DeviceWorker worker = device.worker();
        ready.countDown();
        ready.await();
        boolean counted = false;
        for (int turns = 1; done.getCount() != 0; turns++) {
            if (!worker.work()) {
                worker.idle();
            }
            if (!counted && worker.isFinished()) {
                counted = true;
                working.countDown();
            }
            if (turns % 4 == 0) {
                Thread.yield();
            }
        }
        worker.stop();
    }

    long loadLong(final long addr) {
        return Width.LONG.load(this, addr);
    }

    long cpuFaults() {
        long faults = 0;
        for (int i = 0; i < cpus; i++) {
            faults += machine.cpu(i).faults();
        }
        return faults;
    }

    /** Operations that lanes have performed, those of cancelled ones included. */
    long deviceOperations() {
        return device.lanes().stream().mapToLong(DeviceLane::operations).sum();
    }

    /** Why lanes were cancelled. */
    Set<CancelReason> cancelReasons() {
        return device.lanes().stream()
                .filter(DeviceLane::isCancelled)
                .map(DeviceLane::cancelReason)
                .collect(Collectors.toSet());
    }

    long deviceFaults() {
        return device.driver().faultsResolved();
    }

    /** Pages that the device maps now. */
    long mappedPages() {
        long pages = 0;
        final long end = device.table().pageLimit();
        for (long vpn = device.table().nextValid(0, end);
                vpn < end;
                vpn = device.table().nextValid(vpn + 1, end)) {
            pages++;
        }
        return pages;
    }

    /** Everything holds, and nothing is left. */
    void end() {
        new InvariantChecker(machine).atQuiescence(boot).orThrow();
        machine.removeDevice(boot, device);
        for (int i = 0; i < cpus; i++) {
            machine.cpu(i).run(null);
        }
        boot.run(null);
        new InvariantChecker(machine).atQuiescence(boot).orThrow();
        process.exit(boot);
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isZero();
    }
}
