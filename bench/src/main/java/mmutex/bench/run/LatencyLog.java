package mmutex.bench.run;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import mmutex.bench.anatomy.Phases;
import mmutex.cli.Environment;
import mmutex.cli.UsageProblem;
import mmutex.sync.PhaseProbe;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/**
 * An HdrHistogram log, values in ns: an interval histogram per path ({@code Tag=restore}, {@code Tag=make}) for every
 * second, and at the end the histograms of the whole run ({@code Tag=restore-total}, {@code Tag=restore-notify} and so
 * on). Used by one thread.
 */
final class LatencyLog implements AutoCloseable {
    private final PrintStream out;
    private final HistogramLogWriter writer;
    private long baseMs;
    private long lastMs;

    private LatencyLog(final OutputStream out) {
        this.out = new PrintStream(out, false, StandardCharsets.UTF_8);
        this.writer = new HistogramLogWriter(this.out);
    }

    /** Opens the file, and overwrites it. */
    static LatencyLog to(final Path file) {
        try {
            return new LatencyLog(Files.newOutputStream(file));
        } catch (final IOException e) {
            throw new UsageProblem("--hlog " + file + ": cannot be written (" + reason(e, file) + ")");
        }
    }

    /** A log that keeps nothing. */
    static LatencyLog none() {
        return new LatencyLog(OutputStream.nullOutputStream());
    }

    private static String reason(final IOException e, final Path file) {
        if (e instanceof NoSuchFileException) {
            return "no such directory";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        return String.valueOf(e.getMessage()).replace(file + ": ", "");
    }

    /** The run begins; {@code title} says which, {@code environment} where and with what. */
    void start(final String title, final Environment environment, final long nowMs) {
        baseMs = nowMs;
        lastMs = nowMs;
        writer.outputComment("[" + title + "]");
        writer.outputComment("[environment " + environment.toJson() + "]");
        writer.outputLogFormatVersion();
        writer.outputStartTime(nowMs);
        writer.setBaseTime(nowMs);
        writer.outputLegend();
    }

    /** What a path took since the last interval of that path. */
    void interval(final PhaseProbe.Path path, final Histogram interval, final long nowMs) {
        write(tag(path), interval, lastMs, nowMs);
    }

    /** All paths have written their interval. */
    void intervalEnds(final long nowMs) {
        lastMs = nowMs;
    }

    /** A path over the whole run. */
    void total(final PathLatency latency) {
        final String path = tag(latency.path());
        write(path + "-total", latency.total(), baseMs, lastMs);
        for (final Phase phase : Phases.of(latency.path())) {
            write(path + "-" + Phases.key(phase), latency.phases().get(phase), baseMs, lastMs);
        }
    }

    private void write(final String tag, final Histogram histogram, final long fromMs, final long toMs) {
        histogram.setTag(tag);
        histogram.setStartTimeStamp(fromMs);
        histogram.setEndTimeStamp(toMs);
        writer.outputIntervalHistogram(histogram);
    }

    private static String tag(final PhaseProbe.Path path) {
        return path.name().toLowerCase(Locale.ROOT);
    }

    /** Whether everything could be written. */
    boolean isComplete() {
        return !out.checkError();
    }

    @Override
    public void close() {
        out.close();
    }
}
