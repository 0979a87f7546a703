package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.change.Advisor.Advice;
import mmutex.machine.Process;
import mmutex.mm.Errno;
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
 * On what does the cost of a make depend: what is at the address, how many pages a call is for, the kernel's generation?
 *
 * <p>The maker's call alone, {@code callPages} at a time over 512 pages, each page unlocked and put afterwards as a driver
 * does; one device is subscribed, its callback in place. What is there:
 * <ul>
 *   <li>FIRST_TOUCH: nothing, the page is allocated and zeroed;
 *   <li>PRESENT: a page that is mapped writable;
 *   <li>ZERO_PAGE: the shared page of zeroes, so that one is allocated;
 *   <li>COW_SHARED: a page that a child of fork shares, so that it is copied;
 *   <li>EXCLUSIVE: exclusive to the same owner already: restored and made again, as the kernel does;
 *   <li>FOREIGN: exclusive to another owner, who is told.
 * </ul>
 * From 6.15 on (K615) a call is for one page. Cost: 23 cells, 7 minutes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MakeAxesBenchmark {
    private static final int PAGES = 512;
    private static final long OWNER = 77;
    private static final long OTHER_OWNER = 78;

    /** What is at the address before. */
    public enum PageState {
        FIRST_TOUCH,
        PRESENT,
        ZERO_PAGE,
        COW_SHARED,
        EXCLUSIVE,
        FOREIGN
    }

    /** By what is there, and pages per call. */
    @State(Scope.Thread)
    public static class ByState extends Batch {
        @Param
        public PageState pageState;

        @Param({"1", "64", "512"})
        public int callPages;

        @Setup
        public void open() {
            open(RangeSpec.of(Subscriber.INLINE, PAGES), pageState, callPages);
        }
    }

    /** By kernel. */
    @State(Scope.Thread)
    public static class ByProfile extends Batch {
        @Param({"V3", "V9", "K514", "K612", "K615"})
        public String profile;

        @Setup
        public void open() {
            open(RangeSpec.of(Subscriber.INLINE, PAGES).withProfile(profile), PageState.PRESENT, PAGES);
        }
    }

    /** Pages that are brought into the state between two batches. */
    @State(Scope.Thread)
    public abstract static class Batch {
        private PageRange pages;
        private PageState before;
        private int perCall;
        private Process child;

        final void open(final RangeSpec spec, final PageState newBefore, final int newPerCall) {
            if (PAGES % newPerCall != 0) {
                throw new IllegalArgumentException(PAGES + " must be a multiple of callPages, was " + newPerCall);
            }
            pages = new PageRange(spec);
            before = newBefore;
            perCall = newPerCall;
        }

        @Setup(Level.Invocation)
        public void prepare() {
            if (child != null) {
                child.exit(pages.maker());
                child = null;
            }
            switch (before) {
                case FIRST_TOUCH:
                    discard();
                    break;
                case ZERO_PAGE:
                    discard();
                    pages.takeAll(Touch.READ);
                    require(pages.process().rssAnonPages() == 0, "reading allocated pages");
                    break;
                case COW_SHARED:
                    pages.takeAll();
                    child = fork();
                    break;
                case EXCLUSIVE:
                    pages.takeAll();
                    pages.convert(0, PAGES, OWNER);
                    break;
                case FOREIGN:
                    pages.takeAll();
                    pages.convert(0, PAGES, OTHER_OWNER);
                    break;
                default:
                    pages.takeAll();
            }
        }

        final void make() {
            for (int first = 0; first < PAGES; first += perCall) {
                pages.convert(first, perCall, OWNER);
            }
        }

        /** The state was what it is called: else this page would not have been copied. */
        @TearDown(Level.Invocation)
        public void check() {
            if (child != null) {
                final long mine =
                        pages.process().pagemap(pages.maker(), pages.start()).frame();
                final long theirs = child.pagemap(pages.maker(), pages.start()).frame();
                require(mine != theirs, "the page was not copied");
            }
        }

        @TearDown
        public void close() throws InterruptedException {
            pages.close();
        }

        private void discard() {
            final Errno errno = pages.process().madvise(pages.maker(), pages.start(), pages.length(), Advice.DONTNEED);
            require(errno == Errno.OK, "madvise");
            require(pages.process().rssAnonPages() == 0, "pages are left");
        }

        private Process fork() {
            final Process.Forked forked = pages.process().fork(pages.maker());
            require(forked.errno() == Errno.OK, "fork");
            return forked.child();
        }

        private static void require(final boolean right, final String what) {
            if (!right) {
                throw new IllegalStateException("a benchmark's preparation failed: " + what);
            }
        }
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void makeByState(final ByState state) {
        state.make();
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void makeByProfile(final ByProfile state) {
        state.make();
    }
}
