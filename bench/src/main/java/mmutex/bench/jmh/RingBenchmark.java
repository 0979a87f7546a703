package mmutex.bench.jmh;

import java.util.concurrent.TimeUnit;
import mmutex.notify.InvalidationRing;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;
import mmutex.sync.Wait;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does a record on the invalidation ring cost, from posting to its acknowledgement by another thread?
 *
 * <p>The callback does nothing: this is the floor under every notification with {@link Subscriber#RING}. The consumer waits
 * as a device's worker does: it spins, yields, and sleeps at last, as the producer does. Two idle cores are needed; on less the figure is the scheduler's. Cost: 2 modes, 1 minute.
 */
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Benchmark)
public class RingBenchmark {
    private static final int CAPACITY = 64;

    private final Actor producer = new Actor(1, "producer");
    private final Actor consumer = new Actor(2, "consumer");
    private final NotifierRange range = new NotifierRange().init(NotifierEvent.CLEAR, 0x10000, 0x11000);
    private final InvalidationRing ring = new InvalidationRing(CAPACITY, consumer, this::callback);
    private final Thread thread = new Thread(this::serve, "consumer");
    private long served; // the consumer's; the producer looks after an acknowledgement
    private long delivered;
    private volatile boolean stopping;

    @Setup
    public void start() {
        thread.setDaemon(true);
        thread.start();
    }

    @Benchmark
    @Threads(1)
    public boolean roundTrip() {
        delivered++;
        return ring.deliver(producer, null, range, 0);
    }

    @TearDown
    public void stop() throws InterruptedException {
        stopping = true;
        consumer.wake();
        thread.join();
        if (served != delivered || served == 0) {
            throw new IllegalStateException("served=" + served + ", delivered=" + delivered);
        }
    }

    private boolean callback(final Actor actor, final RangeGuard guard, final NotifierRange hit, final long sequence) {
        served++;
        return true;
    }

    private void serve() {
        Wait idle = null;
        while (!stopping) {
            if (ring.serve()) {
                if (idle != null) {
                    idle.finish();
                    idle = null;
                }
            } else {
                if (idle == null) {
                    idle = consumer.startWait(null, 0);
                }
                idle.pause();
            }
        }
        if (idle != null) {
            idle.finish();
        }
        ring.close();
    }
}
