/**
 * Command-line support shared by the two runnable jars, {@code bench} and {@code stress}.
 *
 * <p>A command is a class with picocli's {@code @Command(name = ...)} that implements {@code Callable<Integer>}; the
 * integer is one of {@link mmutex.cli.ExitCode}. A {@code Main} hands its list of commands to
 * {@link mmutex.cli.CommandRunner}, which gives all of them the same manners:
 * <ul>
 *   <li>bad input is one line on stderr, {@code mmutex <command>: <what and where>}, and exit 2: commands throw
 *       {@link mmutex.cli.UsageProblem}, mostly through {@link mmutex.cli.Bounds} and
 *       {@link mmutex.cli.Choice};
 *   <li>{@code --help} goes to stdout, exit 0;
 *   <li>anything unexpected is reported as an internal error with its stack trace, exit 1.
 * </ul>
 *
 * <p>Results carry {@link mmutex.cli.Environment}; VMs forked by a harness need {@link mmutex.cli.ForkFlags}; anything
 * over two seconds shows a {@link mmutex.cli.ProgressBar}. Nothing here knows the emulator.
 */
package mmutex.cli;
