package mmutex.bench.jmh;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import mmutex.notify.Delivery;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.runner.IterationType;

/**
 * How late is a CPU's access to a contended page, if the accesses are due at a fixed rate?
 *
 * <p>JMH's sampling of {@link ContendedRestoreBenchmark} begins to time an access when the one before has ended: an access
 * that takes 10 ms hides those that would have been made, and would have waited, meanwhile (coordinated omission). Here
 * access n is due at start + n / rate, whether the one before has ended or not, and its latency counts from then: from
 * when it should have begun, not from when it could. Nothing is extrapolated afterwards: every value was measured, and
 * includes the wait for the accesses before it. Of each fork three lines are printed at the end: the corrected latency, the
 * uncorrected service time beside it (their difference is the omission), and how many accesses began late. JMH's own score
 * is the rate that was attained; if it is lower than the one asked for, the load can't be sustained, the delay grows for
 * as long as the run lasts, and the percentiles say no more than that.
 *
 * <p>The first iterations are warm-up: histograms hold the measured ones. With {@code -p logTo=DIR} each fork appends both
 * to a file there in HdrHistogram's log format. Threads: the CPU's and the device's; each needs a core. Cost: 4 cells, 1
 * minute.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 2, jvmArgsAppend = Forks.EXPORTS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Threads(1)
@State(Scope.Benchmark)
public class PingPongLatencyBenchmark {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final int DIGITS = 3;
    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99, 100};

    /** Accesses a second. */
    @Param({"10000", "100000"})
    public int rate;

    @Param({"INLINE", "RING"})
    public Delivery delivery;

    /** Folder for the histograms; none if empty. */
    @Param("")
    public String logTo;

    private final Histogram latencies = new Histogram(DIGITS);
    private final Histogram serviceTimes = new Histogram(DIGITS);
    private PingPong page;
    private boolean measured;
    private long start;
    private long due;
    private long late;

    @Setup
    public void open() {
        if (rate < 1) {
            throw new IllegalArgumentException("rate must be positive, was " + rate);
        }
        page = new PingPong(delivery, 1, "K612");
    }

    /** A schedule of its own for each iteration: between two of them JMH keeps the thread. */
    @Setup(Level.Iteration)
    public void begin(final IterationParams iteration) {
        measured = iteration.getType() == IterationType.MEASUREMENT;
        start = System.nanoTime();
        due = 0;
    }

    @Benchmark
    public void access() {
        final long intended = start + (long) (due++ * (NANOS_PER_SECOND / rate));
        long begun = System.nanoTime();
        if (measured && begun - intended > 0) {
            late++;
        }
        while (begun - intended < 0) {
            Thread.onSpinWait();
            begun = System.nanoTime();
        }
        page.add(0);
        if (measured) {
            final long ended = System.nanoTime();
            latencies.recordValue(ended - intended);
            serviceTimes.recordValue(ended - begun);
        }
    }

    @TearDown
    public void close() throws InterruptedException, IOException {
        page.close();
        if (page.faults(0) == 0 || latencies.getTotalCount() == 0) {
            throw new IllegalStateException(
                    "faults=" + page.faults(0) + ", latencies recorded=" + latencies.getTotalCount());
        }
        System.out.println();
        print("latency from the intended start", latencies);
        print("service time, not corrected", serviceTimes);
        System.out.printf(Locale.ROOT, "%,d of %,d accesses began late%n", late, latencies.getTotalCount());
        if (!logTo.isEmpty()) {
            log();
        }
    }

    private static void print(final String name, final Histogram histogram) {
        final StringBuilder line = new StringBuilder(name).append(", ns:");
        for (final double percentile : PERCENTILES) {
            line.append(String.format(Locale.ROOT, " p%s=%,d", percentile, histogram.getValueAtPercentile(percentile)));
        }
        System.out.println(line);
    }

    private void log() throws IOException {
        final Path folder = Files.createDirectories(Path.of(logTo));
        final Path file = folder.resolve("ping-pong-" + delivery + "-" + rate + ".hlog");
        try (PrintStream out =
                new PrintStream(Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND))) {
            final HistogramLogWriter writer = new HistogramLogWriter(out);
            writer.outputLogFormatVersion();
            writer.outputLegend();
            latencies.setTag("latency");
            serviceTimes.setTag("service-time");
            writer.outputIntervalHistogram(latencies);
            writer.outputIntervalHistogram(serviceTimes);
        }
    }
}
