package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.memory.TableArena;
import mmutex.memory.Words;
import mmutex.sync.AccessWindow;
import mmutex.sync.AccessWindows;
import mmutex.sync.Actor;
import mmutex.sync.DriverLock;
import mmutex.sync.MmapLock;
import mmutex.sync.PageLock;
import mmutex.sync.PteLock;
import mmutex.sync.VmaLock;
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
 * What do the parts of the paths cost alone, uncontended and in the cache?
 *
 * <p>The yardstick for the figures of the paths: a restore takes a reference, four locks and a notification, a make also
 * a shoot-down.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class PartsBenchmark {
    private final Actor actor = new Actor(1, "actor");
    private final Words words = new Words("word", Long.BYTES);
    private final FrameTable frames = new FrameTable(8);
    private final FrameAllocator allocator = new FrameAllocator(frames, new FrameData(8, 12));
    private final TableArena tables = new TableArena(12, 8);
    private final PageLock pageLock = new PageLock(frames);
    private final PteLock pteLock = new PteLock(tables);
    private final DriverLock driverLock = new DriverLock(1);
    private final MmapLock mmapLock = new MmapLock();
    private final VmaLock vmaLock = new VmaLock();
    private final AccessWindow window = new AccessWindow();
    private final AccessWindows windows = new AccessWindows(new AccessWindow[] {window});
    private long pfn;
    private long table;

    @Setup
    public void prepare() {
        words.ensure(0);
        windows.enter(0);
        pfn = allocator.allocate();
        table = tables.allocate(0);
    }

    @Benchmark
    public void storeRelease() {
        words.storeRelease(0, 1);
    }

    @Benchmark
    public long getAndAdd() {
        return words.getAndAdd(0, 1);
    }

    @Benchmark
    public void referenceAndPut() {
        if (frames.tryGet(pfn)) {
            allocator.put(pfn);
        }
    }

    @Benchmark
    public void pageLock() {
        pageLock.lock(actor, pfn);
        pageLock.unlock(actor, pfn);
    }

    @Benchmark
    public void pteLock() {
        pteLock.lock(actor, table);
        pteLock.unlock(actor, table);
    }

    @Benchmark
    public void driverLock() {
        driverLock.lock(actor);
        driverLock.unlock(actor);
    }

    @Benchmark
    public void mmapLockShared() {
        mmapLock.readLock(actor);
        mmapLock.readUnlock(actor);
    }

    @Benchmark
    public void vmaLockShared() {
        if (vmaLock.tryReadLock(actor, mmapLock)) {
            vmaLock.readUnlock(actor);
        }
    }

    @Benchmark
    public void window() {
        window.open();
        window.close();
    }

    @Benchmark
    public void flush() {
        windows.flush(actor);
    }
}
