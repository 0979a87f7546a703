package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.hmm.HmmFlags;
import mmutex.hmm.HmmRange;
import mmutex.hmm.RangeFaulter;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Process;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.notify.IntervalSubscription;
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
 * What do the calls around it cost a page that is exclusive, compared with one that is present: fork, mprotect, munmap, a
 * migration to a device's memory and back, hmm_range_fault?
 *
 * <p>Figures are per page, in calls over 512 pages of one mapping; a device with its callback in place is subscribed. The
 * pages are brought into their state between two calls, and it is checked that they were. hmm_range_fault asks for write,
 * so it restores exclusive pages. Migration passes them over: they are read back first, which is part of the figure. fork includes the child's tables, but not its
 * end. Cost: 10 cells, 3 minutes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class AroundBenchmark {
    private static final int PAGES = 512;

    /** What the call meets. */
    public enum PageState {
        PRESENT,
        EXCLUSIVE
    }

    @Param
    public PageState pageState;

    private PageRange pages;
    private Process process;
    private AddressSpace space;
    private Task task;
    private MirrorHandle handle;
    private final DeviceBuffer buffer = DeviceBuffer.ofArray(new byte[PAGES << 12]);
    private final HmmRange range = new HmmRange(PAGES);
    private final IntervalSubscription guard = new IntervalSubscription((actor, own, hit, sequence) -> {
        own.setSeq(sequence);
        return true;
    });
    private Process child;
    private boolean mapped = true;

    @Setup
    public void open() {
        pages = new PageRange(Subscriber.INLINE, PAGES);
        process = pages.process();
        space = process.space();
        task = pages.maker();
        handle = pages.machine().newMirrorDevice(0, 2 * PAGES).open(task, space);
        require(space.insert(task, guard, pages.start(), pages.length()) == Errno.OK, "subscribing failed");
    }

    @Setup(Level.Invocation)
    public void prepare() {
        if (child != null) {
            child.exit(task);
            child = null;
        }
        if (!mapped) {
            pages.mapAgain();
            mapped = true;
        }
        final long writable = VmFlags.READ | VmFlags.WRITE;
        require(process.mprotect(task, pages.start(), pages.length(), writable) == Errno.OK, "mprotect failed");
        pages.takeAll();
        if (pageState == PageState.EXCLUSIVE) {
            pages.giveAll();
        }
        final boolean present = process.pagemap(task, pages.start()).kind() == PteKind.PRESENT;
        require(present == (pageState == PageState.PRESENT), "the pages are not " + pageState);
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void fork() {
        final Process.Forked forked = process.fork(task);
        require(forked.errno() == Errno.OK, "fork failed");
        child = forked.child();
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void mprotect() {
        require(process.mprotect(task, pages.start(), pages.length(), VmFlags.READ) == Errno.OK, "mprotect failed");
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void munmap() {
        require(process.munmap(task, pages.start(), pages.length()) == Errno.OK, "munmap failed");
        mapped = false;
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void migrateAndBack() {
        if (pageState == PageState.EXCLUSIVE) {
            pages.takeAll(Touch.READ);
        }
        require(handle.migrateToDevice(task, pages.start(), PAGES, buffer).errno() == Errno.OK, "migration failed");
        require(handle.migrateToSystem(task, pages.start(), PAGES).cpages() == PAGES, "not all pages came back");
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void hmmRangeFault() {
        range.init(
                space,
                guard,
                pages.start(),
                pages.start() + pages.length(),
                HmmFlags.REQ_FAULT | HmmFlags.REQ_WRITE,
                0);
        Errno errno;
        do { // ends: only this thread restores, and a page that it has restored stays
            range.sequence(guard.readBegin(task));
            space.mmapLock().readLock(task);
            errno = RangeFaulter.fault(task, range);
            space.mmapLock().readUnlock(task);
        } while (errno == Errno.EBUSY);
        require(errno == Errno.OK, "hmm_range_fault failed");
        require((range.pfn(PAGES - 1) & HmmFlags.WRITE) != 0, "the last page is not writable");
    }

    @TearDown
    public void close() throws InterruptedException {
        pages.close();
    }

    private static void require(final boolean right, final String what) {
        if (!right) {
            throw new IllegalStateException(what);
        }
    }
}
