package mmutex.stress.litmus;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mmutex.cli.ProgressBar;

/**
 * Stands in for stdout while jcstress runs: keeps its console output in a file, and moves the progress bar whenever
 * jcstress says how far it is. Should its wording change, the bar stands still; nothing else depends on it.
 */
final class ConsoleLog extends FilterOutputStream {
    private static final Pattern PROGRESS = Pattern.compile(
            "\\(Results: (\\d+) planned; (\\d+) passed, (\\d+) failed, (\\d+) soft errs, (\\d+) hard errs\\)");

    private final ProgressBar bar;
    private final StringBuilder line = new StringBuilder();

    private ConsoleLog(final OutputStream file, final ProgressBar bar) {
        super(file);
        this.bar = bar;
    }

    /** Opens the log as a stream for {@code System.setOut}. */
    static PrintStream open(final Path file, final ProgressBar bar) throws IOException {
        return new PrintStream(new ConsoleLog(Files.newOutputStream(file), bar), true, StandardCharsets.UTF_8);
    }

    @Override
    public void write(final int octet) throws IOException {
        out.write(octet);
        scan(octet);
    }

    @Override
    public void write(final byte[] octets, final int offset, final int length) throws IOException {
        out.write(octets, offset, length);
        for (int i = offset; i < offset + length; i++) {
            scan(octets[i]);
        }
    }

    private void scan(final int octet) {
        if (octet != '\n') {
            line.append((char) octet);
            return;
        }
        final Matcher progress = PROGRESS.matcher(line);
        if (progress.find()) {
            show(progress);
        }
        line.setLength(0);
    }

    private void show(final Matcher progress) {
        final long planned = Long.parseLong(progress.group(1));
        final long passed = Long.parseLong(progress.group(2));
        long done = 0;
        for (int group = 2; group <= progress.groupCount(); group++) {
            done += Long.parseLong(progress.group(group));
        }
        final String failed = done == passed ? "" : " · " + (done - passed) + " FAILED";
        bar.update((double) done / Math.max(1, planned), done + " of " + planned + " forks" + failed);
    }
}
