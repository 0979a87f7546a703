package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.bench.anatomy.Anatomy;
import mmutex.bench.anatomy.AnatomyProbe;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.TimestampCost;
import mmutex.sync.PhaseProbe.Path;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does the time of an uncontended restore, and of a driver's make, consist of?
 *
 * <p>The score is the mean time as in {@link RestoreBenchmark} and {@link MakeBenchmark}, but with a probe installed, which
 * reads the clock twice for most pages and at every phase for one in {@value AnatomyProbe#ONE_IN}. The answer is in the
 * secondary results, in ns/op: each phase, their sum, and the whole without the cost of time stamps. They need {@link
 * PhaseProfiler}, which {@code ./mmutex bench} always adds ({@code -prof mmutex.bench.jmh.PhaseProfiler} elsewhere).
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class PhaseBenchmark {
    private static final long SEED = Long.getLong("mmutex.seed", 1);

    /** A batch of restores. */
    @Benchmark
    @OperationsPerInvocation(PageRange.PAGES)
    public void restore(final Restores restores) {
        restores.pages.takeAll();
    }

    /** A batch of makes. */
    @Benchmark
    @OperationsPerInvocation(PageRange.PAGES)
    public void make(final Makes makes) {
        makes.pages.giveAll();
    }

    /** Restores by a CPU. */
    @State(Scope.Thread)
    public static class Restores {
        @Param
        public Subscriber subscriber;

        private final Dissection dissection = new Dissection(Path.RESTORE);
        private PageRange pages;

        @Setup
        public void open() {
            pages = new PageRange(subscriber);
            pages.cpu().probe(dissection.probe);
        }

        @Setup(Level.Iteration)
        public void start() {
            dissection.start();
        }

        @Setup(Level.Invocation)
        public void giveAway() {
            pages.giveAll();
        }

        @TearDown(Level.Iteration)
        public void report() {
            dissection.report();
        }

        @TearDown
        public void close() throws InterruptedException {
            pages.close();
        }
    }

    /** Makes by a driver that resolves faults, on the CPU's own thread. */
    @State(Scope.Thread)
    public static class Makes {
        private final Dissection dissection = new Dissection(Path.MAKE);
        private PageRange pages;

        @Setup
        public void open() {
            pages = new PageRange(Subscriber.INLINE);
            pages.worker().probe(dissection.probe);
        }

        @Setup(Level.Iteration)
        public void start() {
            dissection.start();
        }

        @Setup(Level.Invocation)
        public void takeBack() {
            pages.takeAll();
        }

        @TearDown(Level.Iteration)
        public void report() {
            dissection.report();
        }

        @TearDown
        public void close() throws InterruptedException {
            pages.close();
        }
    }

    /** The probe of one path, and what it found in an iteration. */
    private static final class Dissection {
        private final TimestampCost cost = TimestampCost.measure(System::nanoTime);
        private final Anatomy anatomy;
        private final AnatomyProbe probe;

        Dissection(final Path path) {
            anatomy = new Anatomy(path);
            probe = new AnatomyProbe(
                    anatomy, AnatomyProbe.Listener.NONE, cost, System::nanoTime, AnatomyProbe.ONE_IN, SEED);
        }

        void start() {
            anatomy.reset();
        }

        void report() {
            PhaseProfiler.publish(Breakdown.of(anatomy, cost));
        }
    }
}
