package mmutex.bench;

import java.util.List;
import mmutex.bench.compare.CompareCommand;
import mmutex.bench.run.RunCommand;
import mmutex.bench.torture.TortureCommand;
import mmutex.cli.CommandRunner;
import picocli.CommandLine;

/** The entry point of {@code mmutex-bench.jar}. */
public final class Main {
    private Main() {}

    /** Runs the command that the first argument names. */
    public static void main(final String[] args) {
        System.exit(CommandRunner.run(commands(), args));
    }

    /** A new command is one entry here and one word in the launcher's list. Torture may be asked for as a workload. */
    static List<?> commands() {
        final CommandLine run = new CommandLine(new RunCommand()).addSubcommand(new TortureCommand());
        return List.of(run, new TortureCommand(), new JmhCommand(), new CompareCommand());
    }
}
