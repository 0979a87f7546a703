package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.mm.PageTable;
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
 * What does a walk of the page table cost, at 4 and at 5 levels, with its tables in the cache and without?
 *
 * <p>From the address to the leaf entry's value. HOT goes round 256 pages of one leaf table; COLD goes through 65,536 leaf
 * tables, 256 MiB of them, in steps that no prefetcher follows: the last two levels come from memory, and the processor's
 * own TLB misses. Cost: 4 cells, 1 minute.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class WalkBenchmark {
    /** Which tables are walked. */
    public enum Tables {
        HOT(256, 12),
        COLD(1 << 16, 21);

        private final int walks;
        private final int distanceShift;

        Tables(final int walks, final int distanceShift) {
            this.walks = walks;
            this.distanceShift = distanceShift;
        }
    }

    /** Odd, so that every place's turn comes: their number is a power of two. */
    private static final long STRIDE = 40_503;

    @Param
    public Tables tables;

    @Param({"x86-64", "x86-64-l5"})
    public String architecture;

    private PageTable table;
    private long step;
    private long mask;
    private int shift;

    @Setup
    public void build() {
        final MachineSpec defaults = MachineSpec.defaults();
        final Machine machine = new Machine(new MachineSpec(
                defaults.profile(),
                architecture,
                defaults.delivery(),
                1,
                1024,
                defaults.tables(),
                defaults.ringCapacity()));
        table = machine.newProcess().space().pageTable();
        mask = tables.walks - 1L;
        shift = tables.distanceShift;
        for (long i = 0; i < tables.walks; i++) {
            final long slot = table.slotOrCreate(i << shift);
            if (slot < 0) {
                throw new IllegalStateException("no room for tables");
            }
        }
    }

    @Benchmark
    public long walk() {
        step += STRIDE;
        final long slot = table.slot((step & mask) << shift);
        if (slot < 0) {
            throw new IllegalStateException("the walk found no leaf table");
        }
        return table.load(slot);
    }
}
