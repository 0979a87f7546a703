package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceBuffer;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
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
import mmutex.sync.HangGuard;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Pages move to a device's memory and back while CPUs count on them, another device makes them exclusive and counts too, and
 * children that share them come and go, and mappings are write-protected. No increment may be lost, and all counts balance.
 *
 * <p>The seed decides what each actor does, not how they interleave; {@code -Dmmutex.torture.seed=N} repeats it, {@code
 * -Dmmutex.torture.scale=N} multiplies the work.
 */
@HangGuard
class MigrationTortureTest {
    private static final long BASE = 0x4000_0000L;
    private static final int PAGES = 4;
    private static final int PAGE = 4096;
    private static final int CPUS = 2;
    private static final long RW = VmFlags.READ | VmFlags.WRITE;
    private static final int OPERATIONS = 5000 * Integer.getInteger("mmutex.torture.scale", 1);

    static Stream<Arguments> everyProfileAndDelivery() {
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(Delivery.values()).map(delivery -> Arguments.of(profile, delivery)));
    }

    private final AtomicLong[] added = new AtomicLong[PAGES];
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger counting = new AtomicInteger(CPUS);
    private final AtomicLong moved = new AtomicLong();
    private Machine machine;
    private Process process;
    private Cpu boot;
    private Cpu childCpu;

    @ParameterizedTest
    @MethodSource("everyProfileAndDelivery")
    void shouldLoseNothingWhilePagesMove(final SemanticProfile profile, final Delivery delivery) throws Exception {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("migration torture " + profile + " " + delivery + " -Dmmutex.torture.seed=" + seed);
        machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(delivery)
                .withFrames(1024)
                .withRingCapacity(4)
                .withCpus(CPUS + 2));
        process = machine.newProcess();
        boot = machine.cpu(CPUS);
        childCpu = machine.cpu(CPUS + 1);
        boot.run(process);
        assertThat(process.mmap(boot, BASE, PAGES * PAGE, RW)).isEqualTo(Errno.OK);
        for (int page = 0; page < PAGES; page++) {
            added[page] = new AtomicLong();
        }
        final MirrorHandle handle = machine.newMirrorDevice(0).open(boot, process.space());
        final SvmDevice device = machine.newDevice(boot, process, 2, System::nanoTime);
        final Crew crew = new Crew();
        for (int i = 0; i < CPUS; i++) {
            final Cpu cpu = machine.cpu(i);
            cpu.run(process);
            crew.start(cpu.name(), () -> count(cpu, new Random(seed + cpu.number())));
        }
        crew.start("mover", () -> move(machine.newTask("mover"), handle, new Random(seed + 100)));
        crew.start("protector", () -> protect(machine.newTask("protector"), new Random(seed + 400)));
        crew.start("device", () -> compute(device, new Random(seed + 200)));
        // A driver of V3 can't notice a fork or any other change between make and map: its mapping may be stale then.
        if (profile.makePassesOwner()) {
            crew.start("forker", () -> fork(machine.newTask("forker"), new Random(seed + 300)));
            crew.start("checker", () -> check(machine.newTask("checker")));
        }
        crew.join();
        finish(handle, device, seed);
    }

    private void count(final Cpu cpu, final Random random) {
        try {
            // On a loaded machine the mover may come late: counting goes on until a page has moved, within reason.
            for (int i = 0; i < OPERATIONS || moved.get() == 0 && i < 1000 * OPERATIONS; i++) {
                final int page = random.nextInt(PAGES);
                final Signal signal = cpu.fetchAddLong(BASE + page * PAGE, 1);
                if (signal == Signal.NONE) {
                    added[page].incrementAndGet();
                } else {
                    assertThat(signal).isEqualTo(Signal.SEGV_ACCERR); // the protector was here
                }
                if (i % 64 == 0) {
                    Thread.yield();
                }
            }
        } finally {
            stop.set(counting.decrementAndGet() == 0 || stop.get());
        }
    }

    private void move(final Task task, final MirrorHandle handle, final Random random) {
        final byte[] buffer = new byte[PAGES * PAGE];
        while (!stop.get()) {
            final int page = random.nextInt(PAGES);
            final int pages = 1 + random.nextInt(PAGES - page);
            final Result result;
            switch (random.nextInt(8)) {
                case 0:
                    result = handle.release(task, BASE, 1);
                    break;
                case 1:
                case 2:
                    result = handle.migrateToSystem(task, BASE + page * PAGE, pages);
                    break;
                default:
                    result = handle.migrateToDevice(task, BASE + page * PAGE, pages, DeviceBuffer.ofArray(buffer));
                    break;
            }
            assertThat(result.errno()).isIn(Errno.OK, Errno.ENOENT);
            moved.addAndGet(result.cpages());
            Thread.yield();
        }
    }

    private void compute(final SvmDevice device, final Random random) {
        for (final DeviceLane lane : device.lanes()) {
            start(lane, random);
        }
        int turns = 0;
        while (!(stop.get() && device.worker().isFinished())) {
            if (!device.worker().work()) {
                device.worker().idle();
            }
            for (final DeviceLane lane : device.lanes()) {
                if (lane.isCancelled() && !stop.get()) {
                    start(lane, random); // the protector was here
                }
            }
            if (++turns % 16 == 0) {
                Thread.yield();
            }
        }
        device.worker().stop();
    }

    private void start(final DeviceLane lane, final Random random) {
        final int[] page = {random.nextInt(PAGES)};
        lane.start(l -> {
            if (l.modifyLong(BASE + page[0] * PAGE, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                added[page[0]].incrementAndGet();
                page[0] = random.nextInt(PAGES);
            }
            return !stop.get();
        });
    }

    /** Mappings are split and merged while walks over the family, a child's too, look for migration entries in them. */
    private void protect(final Task task, final Random random) {
        while (!stop.get()) {
            final int page = random.nextInt(PAGES);
            final long addr = BASE + page * PAGE;
            final long length = (1 + random.nextInt(PAGES - page)) * PAGE;
            assertThat(process.mprotect(task, addr, length, VmFlags.READ)).isEqualTo(Errno.OK);
            Thread.yield();
            assertThat(process.mprotect(task, addr, length, RW)).isEqualTo(Errno.OK);
            Thread.yield();
        }
        process.mprotect(task, BASE, PAGES * PAGE, RW);
    }

    /** The child's view is frozen at the fork, wherever its pages are. */
    private void fork(final Task task, final Random random) {
        while (!stop.get()) {
            final Process.Forked forked = process.fork(task);
            if (forked.errno() != Errno.OK) {
                assertThat(forked.errno()).isEqualTo(Errno.ENOMEM); // a driver held an exclusive page
                continue;
            }
            childCpu.run(forked.child());
            final long addr = BASE + random.nextInt(PAGES) * PAGE;
            assertThat(childCpu.loadLong(addr)).isEqualTo(Signal.NONE);
            final long seen = childCpu.value();
            Thread.yield();
            assertThat(childCpu.loadLong(addr)).isEqualTo(Signal.NONE);
            assertThat(childCpu.value()).as("frozen at the fork").isEqualTo(seen);
            assertThat(childCpu.storeLong(addr, -1)).isIn(Signal.NONE, Signal.SEGV_ACCERR);
            childCpu.run(null);
            forked.child().exit(task);
        }
    }

    private void check(final Task task) {
        final InvariantChecker checker = new InvariantChecker(machine);
        while (!stop.get()) {
            checker.now(task).orThrow();
            Thread.yield();
        }
    }

    private void finish(final MirrorHandle handle, final SvmDevice device, final long seed) {
        machine.removeDevice(boot, device);
        new InvariantChecker(machine).with(handle).atQuiescence(boot).orThrow();
        for (int page = 0; page < PAGES; page++) {
            assertThat(boot.loadLong(BASE + page * PAGE)).isEqualTo(Signal.NONE);
            assertThat(boot.value()).as("counter %d, seed %d", page, seed).isEqualTo(added[page].get());
        }
        assertThat(moved.get()).as("pages that moved").isPositive();
        handle.close(boot);
        assertThat(handle.device().memory().inUse()).isZero();
        final List<Cpu> running = new ArrayList<>(List.of(boot));
        for (int i = 0; i < CPUS; i++) {
            running.add(machine.cpu(i));
        }
        running.forEach(cpu -> cpu.run(null));
        process.exit(boot);
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isZero();
    }
}
