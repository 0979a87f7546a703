package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.machine.Cpu;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does one access of a CPU cost, when its software TLB knows the page and when it has to walk the page table?
 *
 * <p>The TLB is direct-mapped: a round over as many pages as it has entries always hits, one over twice as many never
 * does. The window, which every access opens with a full fence, is part of each figure.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class CpuAccessBenchmark {
    /** Whether the TLB knows the pages. */
    public enum Translation {
        HIT(256),
        WALK(512);

        private final int pages;

        Translation(final int pages) {
            this.pages = pages;
        }
    }

    @Param
    public Translation translation;

    private Cpu cpu;
    private long[] addresses;
    private int next;

    @Setup
    public void touchAll() {
        final PageRange range = new PageRange(Subscriber.NONE, translation.pages);
        cpu = range.cpu();
        addresses = range.addresses();
    }

    @Benchmark
    public long load() {
        cpu.loadLong(nextAddress());
        return cpu.value();
    }

    @Benchmark
    public void store() {
        cpu.storeLong(nextAddress(), next);
    }

    @Benchmark
    public long fetchAdd() {
        cpu.fetchAddLong(nextAddress(), 1);
        return cpu.value();
    }

    private long nextAddress() {
        next = next + 1 & addresses.length - 1;
        return addresses[next];
    }
}
