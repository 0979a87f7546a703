package mmutex.cli;

import java.io.PrintStream;

/**
 * One line of progress on stderr, redrawn in place; silent where stderr is not a terminal.
 *
 * <p>The launcher knows whether it is one, and how wide: it passes {@code -Dmmutex.tty=<columns>}. The JVM can't say:
 * {@code System.console()} asks about stdin and stdout, and from JDK 22 on answers differently.
 *
 * <p>Used by one thread. {@link #close()} ends the line if the work was finished, and otherwise erases it, as an
 * interrupt does, so that whatever is printed next starts in column one.
 */
public final class ProgressBar implements AutoCloseable {
    private static final int CELLS = 42;
    private static final String ERASE_LINE = "\r\u001b[K";

    private final PrintStream terminal;
    private final int columns;
    private final Thread eraser = new Thread(this::erase, "mmutex-progress-eraser");
    private String shown = "";
    private boolean finished;

    /** A bar {@code columns} wide at most; 0 columns shows nothing. */
    ProgressBar(final PrintStream terminal, final int columns) {
        this.terminal = terminal;
        this.columns = columns;
    }

    /** A bar on stderr, or one that shows nothing if stderr is no terminal. */
    public static ProgressBar onStandardError() {
        return new ProgressBar(System.err, Integer.getInteger("mmutex.tty", 0));
    }

    /**
     * Shows how far the work is.
     *
     * @param fraction 0 to 1; values outside are taken as the nearer end
     * @param suffix text after the bar, such as {@code 5.0 s · 1 843 201 restores}; cut where the line ends
     */
    public void update(final double fraction, final String suffix) {
        if (columns == 0) {
            return;
        }
        final double part = Math.min(1, Math.max(0, fraction));
        finished = part == 1;
        final String line = line(part, suffix);
        if (!line.equals(shown)) {
            if (shown.isEmpty()) {
                Runtime.getRuntime().addShutdownHook(eraser);
            }
            shown = line;
            terminal.print(ERASE_LINE + line);
            terminal.flush();
        }
    }

    @Override
    public void close() {
        if (shown.isEmpty()) {
            return;
        }
        try {
            Runtime.getRuntime().removeShutdownHook(eraser);
        } catch (final IllegalStateException shuttingDown) {
            return; // the hook erases
        }
        if (finished) {
            terminal.println();
        } else {
            erase();
        }
        shown = "";
    }

    private void erase() {
        terminal.print(ERASE_LINE);
        terminal.flush();
    }

    private String line(final double part, final String suffix) {
        final int full = (int) (part * CELLS);
        final String line = " " + "█".repeat(full) + "░".repeat(CELLS - full) + " " + suffix;
        // One column stays free: a line that fills the terminal wraps, and only its second half would be redrawn.
        return line.length() < columns ? line : line.substring(0, columns - 1);
    }
}
