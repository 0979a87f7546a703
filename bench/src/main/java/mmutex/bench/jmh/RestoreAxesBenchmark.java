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
 * On what does the cost of a restore depend: the kind of access, neighbours in the mapping, subscribers that are told or
 * passed over, the kernel's generation?
 *
 * <p>{@link RestoreBenchmark}'s figure along one axis at a time, 512 exclusive pages a batch. {@code rangePages} is how many
 * of them lie in one mapping: with 1, each has a VMA of its own. {@code subscribers} is how many there are and, behind the
 * slash, how many of them overlap: one that overlaps is a device with its callback in place, the others have ranges
 * elsewhere. Cost: 21 cells, 6 minutes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RestoreAxesBenchmark {
    private static final int PAGES = 512;

    /** By the kind of access, and pages per mapping. */
    @State(Scope.Thread)
    public static class ByAccess extends Batch {
        @Param
        public Touch touch;

        @Param({"1", "16", "512"})
        public int rangePages;

        @Setup
        public void open() {
            open(RangeSpec.of(Subscriber.INLINE, PAGES).withRangePages(rangePages), touch);
        }
    }

    /** By who subscribes. */
    @State(Scope.Thread)
    public static class BySubscribers extends Batch {
        @Param({"0/0", "1/0", "1/1", "4/0", "4/1", "64/0", "64/1"})
        public String subscribers;

        @Setup
        public void open() {
            final String[] counts = subscribers.split("/");
            final int all = Integer.parseInt(counts[0]);
            final int overlapping = Integer.parseInt(counts[1]);
            if (overlapping > 1 || overlapping > all) {
                throw new IllegalArgumentException("0 or 1 of them overlap, was " + subscribers);
            }
            final Subscriber one = overlapping == 0 ? Subscriber.NONE : Subscriber.INLINE;
            open(RangeSpec.of(one, PAGES).withBystanders(all - overlapping), Touch.ATOMIC);
        }
    }

    /** By kernel. */
    @State(Scope.Thread)
    public static class ByProfile extends Batch {
        @Param({"V3", "V9", "K514", "K612", "K615"})
        public String profile;

        @Setup
        public void open() {
            open(RangeSpec.of(Subscriber.INLINE, PAGES).withProfile(profile), Touch.ATOMIC);
        }
    }

    /** Pages that are given away between two batches. */
    @State(Scope.Thread)
    public abstract static class Batch {
        private PageRange pages;
        private Touch by;
        private long faultsExpected;

        final void open(final RangeSpec spec, final Touch newTouch) {
            pages = new PageRange(spec);
            by = newTouch;
            faultsExpected = pages.faults();
        }

        @Setup(Level.Invocation)
        public void giveAway() {
            pages.giveAll();
            faultsExpected += PAGES;
        }

        final void takeBack() {
            pages.takeAll(by);
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

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void restoreByAccess(final ByAccess state) {
        state.takeBack();
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void restoreBySubscribers(final BySubscribers state) {
        state.takeBack();
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void restoreByProfile(final ByProfile state) {
        state.takeBack();
    }
}
