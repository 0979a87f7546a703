package mmutex.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Runs one of several commands and turns whatever happens into an exit code and, at most, one line on stderr; a stack
 * trace is for internal errors alone. Used by one thread, once.
 */
public final class CommandRunner {
    private static final String PROGRAM = "mmutex";
    private static final int USAGE_COLUMNS = 100;

    private final PrintWriter out;
    private final PrintWriter err;

    CommandRunner(final PrintStream out, final PrintStream err) {
        this.out = new PrintWriter(out, true);
        this.err = new PrintWriter(err, true);
    }

    /**
     * Runs the command that {@code args} names.
     *
     * @param commands objects with picocli's {@code @Command}, each a {@code Callable<Integer>} or {@code Runnable}, or
     *     a {@code CommandLine} of one, with subcommands of its own
     * @param args the command's name, then its own arguments
     * @return an {@link ExitCode}
     */
    public static int run(final List<?> commands, final String... args) {
        return new CommandRunner(System.out, System.err).execute(commands, args);
    }

    int execute(final List<?> commands, final String... args) {
        final CommandLine root = new CommandLine(CommandSpec.create().name(PROGRAM));
        commands.forEach(root::addSubcommand);
        addHelp(root);
        root.setOut(out)
                .setErr(err)
                .setUsageHelpWidth(USAGE_COLUMNS)
                .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(CommandRunner::executeLast)
                .setParameterExceptionHandler(this::badArguments)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(command, failure));
        try {
            return root.execute(args);
        } catch (final Error error) {
            // picocli passes Exceptions to its handlers, and Errors on to us.
            return failed(chosen(root), error);
        }
    }

    /** Of {@code run torture} only the latter is performed, so what was said to the former would go unheard. */
    private static int executeLast(final ParseResult parsed) {
        for (ParseResult outer = parsed; outer.hasSubcommand(); outer = outer.subcommand()) {
            if (!outer.matchedArgs().isEmpty()) {
                throw new ParameterException(
                        outer.commandSpec().commandLine(),
                        "options come behind '"
                                + outer.subcommand().commandSpec().name() + "'");
            }
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    /** Commands may bring a help option of their own, to leave {@code -h} to a harness behind them. */
    private static void addHelp(final CommandLine command) {
        command.getSubcommands().values().forEach(CommandRunner::addHelp);
        final CommandSpec spec = command.getCommandSpec();
        if (spec.options().stream().noneMatch(OptionSpec::usageHelp)) {
            spec.addOption(OptionSpec.builder("-h", "--help")
                    .usageHelp(true)
                    .description("Show this help and exit.")
                    .build());
        }
    }

    private int badArguments(final ParameterException problem, final String[] args) {
        final CommandLine command = problem.getCommandLine();
        if (command.getParent() != null) {
            return usage(command, problem.getMessage());
        }
        final String known =
                command.getSubcommands().keySet().stream().sorted().collect(Collectors.joining(", ", "one of ", ""));
        final String wrong = problem instanceof final UnmatchedArgumentException unmatched
                ? "unknown command '" + unmatched.getUnmatched().get(0) + "'"
                : "no command given";
        return usage(command, wrong + ", expected " + known);
    }

    private int failed(final CommandLine command, final Throwable failure) {
        if (failure instanceof UsageProblem) {
            return usage(command, failure.getMessage());
        }
        if (isBrokenPipe(failure)) {
            // The reader, `head` perhaps, has seen enough.
            return ExitCode.OK;
        }
        if (failure instanceof OutOfMemoryError) {
            err.println(prefix(command) + "not enough memory: " + oneLine(failure.getMessage()));
            return ExitCode.ENVIRONMENT;
        }
        err.println(prefix(command) + "internal error: " + oneLine(failure.toString()));
        failure.printStackTrace(err);
        return ExitCode.FINDING;
    }

    private int usage(final CommandLine command, final String message) {
        err.println(prefix(command) + uncapitalised(oneLine(message)));
        return ExitCode.USAGE;
    }

    private static String prefix(final CommandLine command) {
        return command.getCommandSpec().qualifiedName(" ") + ": ";
    }

    private static CommandLine chosen(final CommandLine root) {
        ParseResult parsed = root.getParseResult();
        while (parsed != null && parsed.hasSubcommand()) {
            parsed = parsed.subcommand();
        }
        return parsed == null ? root : parsed.commandSpec().commandLine();
    }

    private static boolean isBrokenPipe(final Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof IOException
                    && String.valueOf(cause.getMessage())
                            .toLowerCase(Locale.ROOT)
                            .contains("broken pipe")) {
                return true;
            }
        }
        return false;
    }

    private static String oneLine(final String message) {
        return String.valueOf(message)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .collect(Collectors.joining(" "));
    }

    /** picocli's sentences start with a capital; ours follow a colon. Words like {@code JVM} stay. */
    private static String uncapitalised(final String message) {
        return message.length() > 1 && Character.isLowerCase(message.charAt(1))
                ? Character.toLowerCase(message.charAt(0)) + message.substring(1)
                : message;
    }
}
