package mmutex.bench.jmh;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import mmutex.sync.AccessWindow;
import mmutex.sync.AccessWindows;
import mmutex.sync.Actor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
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

/**
 * What does a shoot-down cost, by the CPUs that run the address space, and while one of them is accessing memory?
 *
 * <p>A flush moves the generation, fences, and looks at the window of each CPU; only an open one is waited for.
 * {@code quiet} has idle CPUs. In {@code busy} one of them opens and closes its window all the time, on another thread, as
 * a program does that hits its TLB; its own figure shows what flushes cost it. Cost: 8 cells, 3 minutes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FlushBenchmark {
    /** CPUs, all of them in the address space. */
    @State(Scope.Benchmark)
    public static class Cpus {
        @Param({"1", "2", "4", "8"})
        public int cpus;

        private final Actor flusher = new Actor(1, "flusher");
        private AccessWindow[] each;
        private AccessWindows all;

        @Setup
        public void enter() {
            each = new AccessWindow[cpus];
            Arrays.setAll(each, i -> new AccessWindow());
            all = new AccessWindows(each);
            for (int i = 0; i < cpus; i++) {
                all.enter(i);
            }
        }

        @TearDown
        public void check() {
            if (all.flushes() == 0) {
                throw new IllegalStateException("nothing was flushed");
            }
        }
    }

    @Benchmark
    @Threads(1)
    public void quiet(final Cpus state) {
        state.all.flush(state.flusher);
    }

    @Benchmark
    @Group("busy")
    @GroupThreads(1)
    public void flush(final Cpus state) {
        state.all.flush(state.flusher);
    }

    @Benchmark
    @Group("busy")
    @GroupThreads(1)
    public long access(final Cpus state) {
        final AccessWindow window = state.each[0];
        window.open();
        final long generation = state.all.generation();
        window.close();
        return generation;
    }
}
