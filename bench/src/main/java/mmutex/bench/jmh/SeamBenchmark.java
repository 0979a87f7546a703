package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.memory.Words;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What do the schedule points cost while they are off, which is the default?
 *
 * <p>The same eight steps of a mark and a restore on one entry and one lock word, without and with the announcement that
 * core makes before each.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class SeamBenchmark {
    private static final long LOCK = 0;
    private static final long ENTRY = 64;
    private static final long PRESENT = 0x8000000000000067L;
    private static final long EXCLUSIVE = 0x1234000;

    private final Words words = new Words("seam", 4096);

    @Setup
    public void prepare() {
        words.ensure(0);
        words.storeVolatile(ENTRY, PRESENT);
    }

    @Benchmark
    public boolean without() {
        words.compareAndSet(LOCK, 0, 1);
        final long before = words.getAndSet(ENTRY, 0);
        words.storeRelease(ENTRY, EXCLUSIVE);
        words.storeRelease(LOCK, 0);
        words.compareAndSet(LOCK, 0, 1);
        final boolean same = words.loadAcquire(ENTRY) == EXCLUSIVE;
        words.storeRelease(ENTRY, before);
        words.storeRelease(LOCK, 0);
        return same;
    }

    @Benchmark
    public boolean with() {
        SchedulePoint.before(Step.LOCK, LOCK);
        words.compareAndSet(LOCK, 0, 1);
        SchedulePoint.before(Step.PTE_CLEAR, ENTRY);
        final long before = words.getAndSet(ENTRY, 0);
        SchedulePoint.before(Step.PTE_STORE, ENTRY);
        words.storeRelease(ENTRY, EXCLUSIVE);
        SchedulePoint.before(Step.UNLOCK, LOCK);
        words.storeRelease(LOCK, 0);
        SchedulePoint.before(Step.LOCK, LOCK);
        words.compareAndSet(LOCK, 0, 1);
        SchedulePoint.before(Step.PTE_LOAD, ENTRY);
        final boolean same = words.loadAcquire(ENTRY) == EXCLUSIVE;
        SchedulePoint.before(Step.PTE_STORE, ENTRY);
        words.storeRelease(ENTRY, before);
        SchedulePoint.before(Step.UNLOCK, LOCK);
        words.storeRelease(LOCK, 0);
        return same;
    }
}
