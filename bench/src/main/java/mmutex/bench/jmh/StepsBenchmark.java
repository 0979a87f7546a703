package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.fault.PageGetter;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.Errno;
import mmutex.mm.MappedWalk;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
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
 * What do the larger steps of make and restore cost alone: the entry's compare-and-set, a hit in the TLB, get_user_pages,
 * the walk of the reverse map?
 *
 * <p>Uncontended, on warm memory; {@link PartsBenchmark} has the smaller ones, {@link WalkBenchmark} the page table's,
 * {@link ProtocolBenchmark} the notifiers', {@link FlushBenchmark} the shoot-down's. get_user_pages includes the mmap lock
 * and giving the references back, and is per call. Cost: 7 cells, 2 minutes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StepsBenchmark {
    private static final int PAGES = 512;

    /** Present pages. */
    @State(Scope.Thread)
    public static class Present {
        private PageRange pages;
        private Cpu cpu;
        private PageTable table;
        private long addr;
        private long slot;
        private long pte;

        @Setup
        public void open() {
            pages = new PageRange(Subscriber.NONE, PAGES);
            cpu = pages.cpu();
            table = pages.process().space().pageTable();
            addr = pages.addresses()[0];
            slot = table.slot(pages.start());
            pte = table.load(slot);
        }
    }

    /** How many pages one call is for. */
    @State(Scope.Thread)
    public static class Several {
        @Param({"1", "64", "512"})
        public int callPages;

        private PageRange pages;
        private AddressSpace space;
        private Platform platform;
        private final long[] frames = new long[PAGES];

        @Setup
        public void open() {
            pages = new PageRange(Subscriber.NONE, PAGES);
            space = pages.process().space();
            platform = space.platform();
        }
    }

    /** A page that processes share. */
    @State(Scope.Thread)
    public static class Family {
        @Param({"1", "8"})
        public int processes;

        private final MappedWalk walk = new MappedWalk();
        private PageRange pages;
        private Platform platform;
        private long folio;

        @Setup
        public void open() {
            pages = new PageRange(Subscriber.NONE, 16);
            platform = pages.process().space().platform();
            for (int i = 1; i < processes; i++) {
                if (pages.process().fork(pages.maker()).errno() != Errno.OK) {
                    throw new IllegalStateException("fork failed");
                }
            }
            final PageTable table = pages.process().space().pageTable();
            folio = platform.encoding().frameNumber(table.load(table.slot(pages.start())));
        }
    }

    @Benchmark
    public boolean pteCompareAndSet(final Present state) {
        return state.table.compareAndSet(state.slot, state.pte, state.pte);
    }

    @Benchmark
    public long tlbHit(final Present state) {
        if (state.cpu.loadLong(state.addr) != Signal.NONE) {
            throw new IllegalStateException("the access failed");
        }
        return state.cpu.value();
    }

    @Benchmark
    public void getUserPages(final Several state) {
        final Task task = state.pages.maker();
        state.space.mmapLock().readLock(task);
        final int got =
                PageGetter.getPages(task, state.space, state.pages.start(), state.callPages, true, state.frames);
        state.space.mmapLock().readUnlock(task);
        if (got != state.callPages) {
            throw new IllegalStateException("get_user_pages got " + got);
        }
        for (int i = 0; i < got; i++) {
            state.platform.putPage(state.frames[i]);
        }
    }

    /** From a frame to all its entries. */
    @Benchmark
    public void reverseMapWalk(final Family state) {
        final Task task = state.pages.maker();
        final AnonVma family = state.platform.reverseMap().lockAnonVma(task, state.folio);
        final long index = state.platform.frames().index(state.folio);
        int entries = 0;
        for (int i = 0; i < family.vmas().size(); i++) {
            final Vma vma = family.vmas().get(i);
            if (vma.overlaps(index, index)) {
                for (boolean found = state.walk.find(task, vma, state.folio, index);
                        found;
                        found = state.walk.next(task)) {
                    entries++;
                }
            }
        }
        family.lock().readUnlock(task);
        if (entries != state.processes) {
            throw new IllegalStateException("entries=" + entries);
        }
    }
}
