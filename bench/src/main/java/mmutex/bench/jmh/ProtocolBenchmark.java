package mmutex.bench.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.RangeTracker;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.Protocol;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;
import mmutex.sync.DriverLock;
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
 * What do the generations of notifiers cost, uncontended: a driver's sample and question, a span among n drivers, and a
 * whole atomic fault with the restore that ends it?
 *
 * <p>A driver here has a range of a page inserted and a subscriber to everything. Its callbacks take its lock; the mirrors
 * of HMM_MIRROR have one callback, the others two, so that a hit costs them two locks.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProtocolBenchmark {
    private static final long PAGE = 4096;
    private static final long RANGES = 1L << 30;
    private static final long ELSEWHERE = 1L << 40;

    /** One driver: nobody else is in the way. */
    @State(Scope.Thread)
    public static class OneDriver extends Drivers {
        @Setup
        public void open() {
            open(1);
        }
    }

    /** Several. */
    @State(Scope.Thread)
    public static class SeveralDrivers extends Drivers {
        @Param({"1", "8", "64"})
        public int drivers;

        @Setup
        public void open() {
            open(drivers);
        }
    }

    /** A device at work. */
    @State(Scope.Thread)
    public static class Device {
        @Param
        public Protocol protocol;

        private PageRange pages;
        private int next;

        @Setup
        public void open() {
            pages = new PageRange(Subscriber.INLINE, PageRange.PAGES, protocol);
        }

        @TearDown
        public void close() throws InterruptedException {
            pages.close();
        }
    }

    /** Drivers of one address space, each with a range of its own. */
    @State(Scope.Thread)
    public abstract static class Drivers {
        @Param
        public Protocol protocol;

        private final NotifierRange range = new NotifierRange();
        private final List<RangeTracker> trackers = new ArrayList<>();
        private Task task;
        private AddressSpace space;
        private long end;

        final void open(final int count) {
            final Machine machine = new Machine(MachineSpec.defaults().withFrames(64));
            task = machine.newTask("sender");
            space = machine.newProcess().space();
            end = RANGES + count * PAGE;
            for (int i = 0; i < count; i++) {
                trackers.add(newDriver(i));
            }
        }

        private RangeTracker newDriver(final int number) {
            final DriverLock lock = new DriverLock(number);
            final RangeTracker tracker = RangeTracker.of(
                    protocol,
                    space,
                    (actor, guard, hit, sequence) -> {
                        lock.lock(actor);
                        guard.setSeq(sequence);
                        lock.unlock(actor);
                        return true;
                    },
                    new NotifierSubscriber() {
                        @Override
                        public boolean invalidateStart(final Actor actor, final NotifierRange hit) {
                            lock.lock(actor);
                            lock.unlock(actor);
                            return true;
                        }
                    },
                    System::nanoTime);
            if (tracker.attach(task) != Errno.OK || tracker.insert(task, RANGES + number * PAGE, PAGE) != Errno.OK) {
                throw new IllegalStateException("a benchmark's preparation failed: driver=" + number);
            }
            return tracker;
        }

        final void span(final long from, final long to) {
            space.notifiers().start(task, range.init(NotifierEvent.CLEAR, from, to));
            space.notifiers().end(task, range);
        }
    }

    @Benchmark
    public boolean beginAndRetry(final OneDriver state) {
        final RangeGuard guard = ((Drivers) state).trackers.get(0).guard();
        return guard.readRetry(guard.readBegin(((Drivers) state).task));
    }

    @Benchmark
    public void insertAndRemove(final OneDriver state) {
        final RangeTracker tracker = ((Drivers) state).trackers.get(0);
        tracker.remove(((Drivers) state).task);
        tracker.insert(((Drivers) state).task, RANGES, PAGE);
    }

    /** Every driver's range is hit. */
    @Benchmark
    public void spanThatHitsAll(final SeveralDrivers state) {
        state.span(RANGES, ((Drivers) state).end);
    }

    /** None is, but those that subscribe to everything are told. */
    @Benchmark
    public void spanThatHitsNoRange(final SeveralDrivers state) {
        state.span(ELSEWHERE, ELSEWHERE + PAGE);
    }

    @Benchmark
    public void atomicFaultAndRestore(final Device state) {
        state.next = (state.next + 1) % PageRange.PAGES;
        state.pages.giveAndTake(state.next);
    }
}
