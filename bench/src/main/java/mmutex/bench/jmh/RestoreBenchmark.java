package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
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
 * What does it cost a CPU to take one exclusive page back, uncontended, by who has to give it up?
 *
 * <p>Measured from the access that faults to its result: fault, reference, page lock, notification, restored entry, the
 * access itself. With RING the device's thread shares the machine with the CPU's; without a core of its own for each,
 * the figure is one of the scheduler.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class RestoreBenchmark {
    @Param
    public Subscriber subscriber;

    private PageRange pages;
    private long faultsExpected;

    @Setup
    public void open() {
        pages = new PageRange(subscriber);
        faultsExpected = pages.faults();
    }

    @Setup(Level.Invocation)
    public void giveAway() {
        pages.giveAll();
        faultsExpected += PageRange.PAGES;
    }

    @Benchmark
    @OperationsPerInvocation(PageRange.PAGES)
    public void restore() {
        pages.takeAll();
    }

    /** What did not fault was not restored, and made the figure better than it is. */
    @TearDown(Level.Iteration)
    public void checkThatAllFaulted() {
        if (pages.faults() != faultsExpected) {
            throw new IllegalStateException("faults=" + pages.faults() + ", expected=" + faultsExpected);
        }
    }

    @TearDown
    public void close() throws InterruptedException {
        pages.close();
    }
}
