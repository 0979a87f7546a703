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
 * What does it cost to make one present page exclusive, uncontended: bare, and by a driver that resolves a fault?
 *
 * <p>NONE is the call of the maker alone, by a caller that keeps the page lock no longer than that. INLINE is the
 * driver's whole fault: subscription for the fault, sample, make, check under the driver lock, device entry; two readings
 * of its clock included. Delivery makes no difference here: a driver's worker runs its own callbacks in place.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class MakeBenchmark {
    @Param({"NONE", "INLINE"})
    public Subscriber subscriber;

    private PageRange pages;

    @Setup
    public void open() {
        pages = new PageRange(subscriber);
    }

    @Setup(Level.Invocation)
    public void takeBack() {
        pages.takeAll();
    }

    @Benchmark
    @OperationsPerInvocation(PageRange.PAGES)
    public void make() {
        pages.giveAll();
    }

    @TearDown
    public void close() throws InterruptedException {
        pages.close();
    }
}
