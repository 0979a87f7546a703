package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.change.Advisor.Advice;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceBuffer;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.DeviceWorker;
import mmutex.device.MirrorHandle;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.File;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two processes share a file, one maps it privately as well, while it is truncated and grown, mappings come and go, forks
 * copy, and devices look. Increments through shared mappings are never lost, and every count fits at the end.
 *
 * <p>The seed decides what each actor does; it is printed, and {@code -Dmmutex.torture.seed=N} repeats it.
 */
@Timeout(120)
class SharedTortureTest {
    private static final long SHARED = 0x4000_0000L;
    private static final long PRIVATE = 0x5000_0000L;
    private static final int PAGE = 4096;
    private static final int KEPT = 2;
    private static final int PAGES = 8;
    private static final long RW = VmFlags.READ | VmFlags.WRITE;
    private static final int ROUNDS = 2000;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static long seed(final String what) {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("torture " + what + " -Dmmutex.torture.seed=" + seed);
        return seed;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLoseNothingInSharedMemory(final SemanticProfile profile) throws InterruptedException {
        final long seed = seed("shared " + profile);
        final Machine machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(Delivery.INLINE)
                .withFrames(4096)
                .withCpus(4));
        final Cpu boot = machine.cpu(3);
        final File file = machine.newFile(boot, PAGES);
        final Process[] processes = {machine.newProcess(), machine.newProcess()};
        for (final Process process : processes) {
            assertThat(process.mmapFile(boot, SHARED, PAGES * PAGE, RW, file, 0, true))
                    .isEqualTo(Errno.OK);
        }
        final MirrorHandle handle = machine.newMirrorDevice(0).open(boot, processes[0].space());
        final AtomicBoolean stop = new AtomicBoolean();
        final AtomicLong added = new AtomicLong();
        final Crew crew = new Crew();
        crew.startTogether(6, number -> {
            final Random random = new Random(seed + number);
            switch (number) {
                case 0:
                case 1:
                    count(machine.cpu(number), processes[number], file, random, added);
                    stop.set(true);
                    break;
                case 2:
                    while (!stop.get()) {
                        final long pages = KEPT + random.nextInt(PAGES - KEPT + 1);
                        assertThat(file.truncate(machine.cpu(2), pages * PAGE)).isEqualTo(Errno.OK);
                        Thread.yield();
                    }
                    break;
                case 3:
                    change(machine.newTask("changer"), processes[0], random, stop);
                    break;
                case 4:
                    look(machine.newTask("device"), handle, random, stop);
                    break;
                default:
                    final InvariantChecker checker = new InvariantChecker(machine);
                    while (!stop.get()) {
                        checker.now(boot).orThrow();
                        Thread.yield();
                    }
            }
        });
        crew.join();
        handle.close(boot);
        assertThat(file.truncate(boot, PAGES * PAGE)).isEqualTo(Errno.OK);
        new InvariantChecker(machine).atQuiescence(boot).orThrow();
        boot.run(processes[1]);
        long sum = 0;
        for (int page = 0; page < KEPT; page++) {
            assertThat(boot.loadLong(SHARED + page * PAGE)).isEqualTo(Signal.NONE);
            sum += boot.value();
        }
        assertThat(sum).as("seed %d", seed).isEqualTo(added.get());
        boot.run(null);
        for (final Process process : processes) {
            process.exit(boot);
        }
        file.close(boot);
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isZero();
    }

    private static void count(
            final Cpu cpu, final Process process, final File file, final Random random, final AtomicLong added) {
        cpu.run(process);
        for (int i = 0; i < ROUNDS; i++) {
            final int page = random.nextInt(PAGES);
            final Signal signal = cpu.fetchAddLong(SHARED + page * PAGE, 1);
            if (page < KEPT) {
                // mprotect and the discarding of a mapping may be in the way; the end of the file never is.
                assertThat(signal).isIn(Signal.NONE, Signal.SEGV_ACCERR);
                added.addAndGet(signal == Signal.NONE ? 1 : 0);
            } else {
                assertThat(signal).isIn(Signal.NONE, Signal.SEGV_ACCERR, Signal.BUS_ADRERR);
            }
            if (i % 32 == 0) {
                copyPrivately(cpu, process, file, i + 1);
            }
        }
        cpu.run(null);
    }

    /** What is written to a private mapping is seen by nobody else, and stays until the file's end passes it. */
    private static void copyPrivately(final Cpu cpu, final Process process, final File file, final long tag) {
        assertThat(process.mmapFile(cpu, PRIVATE, PAGES * PAGE, RW, file, 0, false))
                .isEqualTo(Errno.OK);
        assertThat(cpu.storeLong(PRIVATE, -tag)).isEqualTo(Signal.NONE);
        cpu.storeLong(PRIVATE + (PAGES - 1) * PAGE, tag);
        final Process.Forked forked = process.fork(cpu);
        assertThat(forked.errno()).isEqualTo(Errno.OK);
        cpu.run(forked.child());
        assertThat(cpu.loadLong(PRIVATE)).isEqualTo(Signal.NONE);
        assertThat(cpu.value()).isEqualTo(-tag);
        cpu.run(process);
        forked.child().exit(cpu);
        assertThat(cpu.loadLong(SHARED)).isEqualTo(Signal.NONE);
        assertThat(cpu.value()).isNotNegative();
        assertThat(process.munmap(cpu, PRIVATE, PAGES * PAGE)).isEqualTo(Errno.OK);
    }

    private static void change(final Task task, final Process process, final Random random, final AtomicBoolean stop) {
        while (!stop.get()) {
            final int first = random.nextInt(PAGES);
            final long addr = SHARED + first * PAGE;
            final long length = (1 + random.nextInt(PAGES - first)) * PAGE;
            if (random.nextBoolean()) {
                assertThat(process.madvise(task, addr, length, Advice.DONTNEED)).isEqualTo(Errno.OK);
            } else {
                assertThat(process.mprotect(task, addr, length, VmFlags.READ)).isEqualTo(Errno.OK);
                Thread.yield();
                assertThat(process.mprotect(task, addr, length, RW)).isEqualTo(Errno.OK);
            }
            Thread.yield();
        }
    }

    /** Requests that fault, and such that must be refused. V3 would accept them, and lose what others write meanwhile. */
    private static void look(
            final Task task, final MirrorHandle handle, final Random random, final AtomicBoolean stop) {
        final boolean ask = !handle.space().platform().profile().makeAcceptsShared();
        while (!stop.get()) {
            final int pages = 1 + random.nextInt(PAGES);
            final DeviceBuffer sink = DeviceBuffer.ofArray(new byte[pages * PAGE]);
            if (ask && random.nextBoolean()) {
                assertThat(handle.exclusive(task, SHARED, pages, sink).errno())
                        .isIn(Errno.EBUSY, Errno.EOPNOTSUPP, Errno.EFAULT);
            } else {
                assertThat(handle.read(task, SHARED, pages, sink).errno()).isIn(Errno.OK, Errno.EFAULT);
            }
            Thread.yield();
        }
    }

    /**
     * V3 makes shared pages exclusive. The other process only reads: a write through another mapping would restore that
     * mapping alone, tell that process's devices alone, and be lost; which is why later versions refuse shared memory.
     */
    @ParameterizedTest
    @EnumSource(Delivery.class)
    void v3ShouldKeepTheCountOfOneProcessWhileAnotherReads(final Delivery delivery) throws InterruptedException {
        final long seed = seed("V3 shared " + delivery);
        final Machine machine = new Machine(MachineSpec.defaults()
                .withProfile(SemanticProfile.V3)
                .withDelivery(delivery)
                .withFrames(1024)
                .withCpus(3));
        final Cpu boot = machine.cpu(2);
        final File file = machine.newFile(boot, 1);
        final Process owner = machine.newProcess();
        final Process reader = machine.newProcess();
        for (final Process process : List.of(owner, reader)) {
            assertThat(process.mmapFile(boot, SHARED, PAGE, RW, file, 0, true)).isEqualTo(Errno.OK);
        }
        final SvmDevice device = machine.newDevice(boot, owner, 2, System::nanoTime);
        final AtomicBoolean stop = new AtomicBoolean();
        final AtomicLong added = new AtomicLong();
        final Crew crew = new Crew();
        crew.startTogether(3, number -> {
            final Cpu cpu = machine.cpu(number % 2);
            switch (number) {
                case 0:
                    cpu.run(owner);
                    for (int i = 0; i < ROUNDS; i++) {
                        assertThat(cpu.fetchAddLong(SHARED, 1)).isEqualTo(Signal.NONE);
                        added.incrementAndGet();
                        if (i % 16 == 0) {
                            Thread.yield();
                        }
                    }
                    cpu.run(null);
                    stop.set(true);
                    break;
                case 1:
                    cpu.run(reader);
                    read(cpu, reader, stop);
                    cpu.run(null);
                    break;
                default:
                    compute(device, stop, added);
            }
        });
        crew.join();
        machine.removeDevice(boot, device);
        new InvariantChecker(machine).atQuiescence(boot).orThrow();
        boot.run(owner);
        assertThat(boot.loadLong(SHARED)).isEqualTo(Signal.NONE);
        assertThat(boot.value()).as("seed %d", seed).isEqualTo(added.get());
        boot.run(null);
        owner.exit(boot);
        reader.exit(boot);
        file.close(boot);
        assertThat(machine.platform().allocator().inUse()).isZero();
    }

    private static void read(final Cpu cpu, final Process reader, final AtomicBoolean stop) {
        long seen = 0;
        int round = 0;
        while (!stop.get()) {
            assertThat(cpu.loadLong(SHARED)).isEqualTo(Signal.NONE);
            assertThat(cpu.value()).isGreaterThanOrEqualTo(seen);
            seen = cpu.value();
            if (++round % 8 == 0) {
                assertThat(reader.madvise(cpu, SHARED, PAGE, Advice.DONTNEED)).isEqualTo(Errno.OK);
            }
            Thread.yield();
        }
    }

    private static void compute(final SvmDevice device, final AtomicBoolean stop, final AtomicLong added) {
        final DeviceWorker worker = device.worker();
        for (final DeviceLane lane : device.lanes()) {
            lane.start(l -> {
                if (l.modifyLong(SHARED, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                    added.incrementAndGet();
                }
                return !stop.get();
            });
        }
        int turns = 0;
        while (!(stop.get() && worker.isFinished())) {
            if (!worker.work()) {
                worker.idle();
            }
            if (++turns % 16 == 0) {
                Thread.yield();
            }
        }
        worker.stop();
    }
}
