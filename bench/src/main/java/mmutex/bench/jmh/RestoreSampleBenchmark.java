package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
 * How are the times of single restores of one page distributed, uncontended?
 *
 * <p>One page a time, given away between two measured calls; so two readings of the clock, some 25 ns each, are in every
 * sample, and {@link RestoreBenchmark} has the better mean: what this one adds is the tail. Nobody waits for a turn here,
 * so there is no omission to correct. Cost: 3 subscribers by 2 modes, 2 minutes.
 */
@BenchmarkMode({Mode.SampleTime, Mode.AverageTime})
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class RestoreSampleBenchmark {
    @Param
    public Subscriber subscriber;

    private PageRange pages;
    private long faultsExpected;

    @Setup
    public void open() {
        pages = new PageRange(subscriber, 1);
        faultsExpected = pages.faults();
    }

    @Setup(Level.Invocation)
    public void giveAway() {
        pages.giveAll();
        faultsExpected++;
    }

    @Benchmark
    public void restore() {
        pages.takeAll();
    }

    /** What did not fault was not restored. */
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
