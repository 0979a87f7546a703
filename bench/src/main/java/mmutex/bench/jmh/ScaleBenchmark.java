package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.device.DeviceAccess;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.notify.Delivery;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Does a make with the restore that ends it cost the same in a large address space, among many pages, CPUs, devices?
 *
 * <p>One mapping covers the whole address space; its pages lie as far apart as they can, and are visited in steps that no
 * prefetcher follows. What grows with the pages is the distance to memory: from some thousand pages on, entry, table lock,
 * frame record and frame are cache misses, and one page in a leaf table of its own pays for the upper levels' as well. What
 * grows with CPUs and devices is the work: a flush looks at each CPU, a span tells each device. Those CPUs and devices do
 * nothing else here. Cost: 9 and 6 cells, 5 minutes. {@code -p pages=524288} needs 64 GiB of address space or more, which is
 * what {@code -p spaceGib=64,1024} gives, and 7 GiB of memory.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ScaleBenchmark {
    private static final int PAGE_SHIFT = 12;
    private static final long START = 1L << 30;
    private static final int LINE_LENGTH = 64;
    private static final int LINES_MASK = 63;
    private static final long SPARE_FRAMES = 1024;
    /** Odd, so that every page's turn comes: their number is a power of two. */
    private static final int STRIDE = 40_503;

    /** A large address space. */
    @State(Scope.Thread)
    public static class BySpace extends Sparse {
        @Param({"1", "64", "1024"})
        public int spaceGib;

        @Param({"1", "512", "65536"})
        public int pages;

        @Setup
        public void open() {
            open(spaceGib, pages, 1, 1);
        }
    }

    /** A busy machine. */
    @State(Scope.Thread)
    public static class ByCrowd extends Sparse {
        @Param({"1", "4", "16"})
        public int cpus;

        @Param({"1", "8"})
        public int devices;

        @Setup
        public void open() {
            open(1, 512, cpus, devices);
        }
    }

    /** Pages far apart. */
    @State(Scope.Thread)
    public abstract static class Sparse {
        private Cpu cpu;
        private SvmDevice device;
        private int distanceShift;
        private int mask;
        private int step;
        private long faultsExpected;

        final void open(final int gib, final int pages, final int cpus, final int devices) {
            final long length = (long) gib << 30;
            if (Long.bitCount(length) != 1 || Integer.bitCount(pages) != 1 || pages > length >>> PAGE_SHIFT) {
                throw new IllegalArgumentException(
                        "sizes must be powers of two, and the pages fit: gib=" + gib + ", pages=" + pages);
            }
            final Machine machine = new Machine(MachineSpec.defaults()
                    .withCpus(cpus)
                    .withFrames(pages + SPARE_FRAMES)
                    .withDelivery(Delivery.INLINE));
            final Process process = machine.newProcess();
            for (int i = 0; i < cpus; i++) {
                machine.cpu(i).run(process);
            }
            cpu = machine.cpu(0);
            if (process.mmap(cpu, START, length, VmFlags.READ | VmFlags.WRITE) != Errno.OK) {
                throw new IllegalStateException("mmap failed");
            }
            distanceShift = Long.numberOfTrailingZeros(length / pages);
            mask = pages - 1;
            for (int page = 0; page < pages; page++) {
                touch(address(page));
            }
            for (int i = 0; i < devices; i++) {
                device = machine.newDevice(machine.newTask("opener" + i), process, 1, System::nanoTime);
            }
            faultsExpected = cpu.faults();
        }

        final void makeAndRestore() {
            step += STRIDE;
            final long addr = address(step & mask);
            if (device.driver().resolve(device.worker(), addr, DeviceAccess.ATOMIC) != Errno.OK) {
                throw new IllegalStateException("make failed");
            }
            touch(addr);
            faultsExpected++;
        }

        private void touch(final long addr) {
            if (cpu.fetchAddLong(addr, 1) != Signal.NONE) {
                throw new IllegalStateException("an access failed");
            }
        }

        /** In each page another line: lines a page apart share a cache set. */
        private long address(final int page) {
            return START + ((long) page << distanceShift) + (page & LINES_MASK) * LINE_LENGTH;
        }

        @TearDown
        public void checkThatAllFaulted() {
            if (cpu.faults() != faultsExpected) {
                throw new IllegalStateException("faults=" + cpu.faults() + ", expected=" + faultsExpected);
            }
        }
    }

    @Benchmark
    public void pairBySpace(final BySpace state) {
        state.makeAndRestore();
    }

    @Benchmark
    public void pairByCrowd(final ByCrowd state) {
        state.makeAndRestore();
    }
}
