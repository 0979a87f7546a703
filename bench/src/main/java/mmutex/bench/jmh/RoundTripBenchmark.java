package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
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
 * What does a page cost that goes to the device and back, again and again, on one thread?
 *
 * <p>No batches and no time stamps between the halves, so it checks the other two: it should be about their sum.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class RoundTripBenchmark {
    @Param({"NONE", "INLINE"})
    public Subscriber subscriber;

    private PageRange pages;
    private int next;

    @Setup
    public void open() {
        pages = new PageRange(subscriber);
    }

    @Benchmark
    public void makeAndRestore() {
        next = (next + 1) % PageRange.PAGES;
        pages.giveAndTake(next);
    }

    @TearDown
    public void close() throws InterruptedException {
        pages.close();
    }
}
