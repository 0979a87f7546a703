package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * What does a CPU's access cost on a page that a device keeps taking, alone, beside another CPU, and while somebody
 * changes the mapping, forks, or reaps?
 *
 * <p>The real ping-pong: the device makes the page exclusive again as soon as it notices that it has lost it, and adds to
 * it until then. So a part of the CPU's accesses are hits; {@code faults} says how many were not, {@code retries} which
 * rounds the driver had to repeat, {@code refused} which forks met the page in a driver's hands and failed, as the
 * kernel's do. Noise is a second JMH thread. mprotect changes the page behind in the same mapping: the page itself, if it
 * were read-only, would be a fatal signal for its CPU. What is reaped is a child that shares the page.
 *
 * <p>Threads: one per CPU, the noise, and the device's, which is not JMH's. With fewer cores than those the figures are
 * the scheduler's. Cost: 5 fights by 2 deliveries by 2 modes, 6 minutes; {@code -p profile=} for other kernels.
 */
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ContendedRestoreBenchmark {
    /** The page. */
    @State(Scope.Benchmark)
    public static class Fight {
        @Param({"INLINE", "RING"})
        public Delivery delivery;

        @Param("K612")
        public String profile;

        private PingPong page;

        @Setup
        public void open() {
            page = new PingPong(delivery, 2, profile);
        }

        @TearDown
        public void close() throws InterruptedException {
            page.close();
            if (page.faults(0) + page.faults(1) + page.children() == 0) {
                throw new IllegalStateException("nobody took the page from the device");
            }
        }
    }

    /** A CPU's thread. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class OnCpu {
        /** Accesses that met the page exclusive, or being made so. */
        public long faults;
        /** Rounds that the driver repeated, counted by the first CPU. */
        public long retries;

        private PingPong page;
        private int number;
        private long faultsBefore;
        private long retriesBefore;

        @Setup
        public void open(final Fight fight, final ThreadParams threads) {
            page = fight.page;
            number = threads.getSubgroupThreadIndex();
        }

        @Setup(Level.Iteration)
        public void start() {
            faultsBefore = page.faults(number);
            retriesBefore = page.retries();
        }

        @TearDown(Level.Iteration)
        public void stop() {
            faults = page.faults(number) - faultsBefore;
            retries = number == 0 ? page.retries() - retriesBefore : 0;
        }
    }

    /** The thread that disturbs. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Noise {
        /** Forks that failed. */
        public long refused;

        private PingPong page;
        private Task task;

        @Setup
        public void open(final Fight fight) {
            page = fight.page;
            task = page.machine().newTask("noise");
        }
    }

    @Benchmark
    @Threads(1)
    public void oneCpu(final OnCpu cpu) {
        cpu.page.add(cpu.number);
    }

    @Benchmark
    @Group("twoCpus")
    @GroupThreads(2)
    public void twoCpus(final OnCpu cpu) {
        cpu.page.add(cpu.number);
    }

    @Benchmark
    @Group("mprotect")
    @GroupThreads(1)
    public void cpuBesideMprotect(final OnCpu cpu) {
        cpu.page.add(cpu.number);
    }

    @Benchmark
    @Group("mprotect")
    @GroupThreads(1)
    public void mprotect(final Noise noise) {
        noise.page.protectNeighbour(noise.task);
    }

    @Benchmark
    @Group("fork")
    @GroupThreads(1)
    public void cpuBesideFork(final OnCpu cpu) {
        cpu.page.add(cpu.number);
    }

    @Benchmark
    @Group("fork")
    @GroupThreads(1)
    public void fork(final Noise noise) {
        noise.refused += noise.page.forkAndExit(noise.task, false) ? 0 : 1;
    }

    @Benchmark
    @Group("reap")
    @GroupThreads(1)
    public void cpuBesideReap(final OnCpu cpu) {
        cpu.page.add(cpu.number);
    }

    @Benchmark
    @Group("reap")
    @GroupThreads(1)
    public void reap(final Noise noise) {
        noise.refused += noise.page.forkAndExit(noise.task, true) ? 0 : 1;
    }
}
