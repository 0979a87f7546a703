package mmutex.stress;

import java.util.List;
import mmutex.cli.CommandRunner;
import mmutex.stress.conform.ConformCommand;
import mmutex.stress.litmus.LitmusCommand;

/** The entry point of {@code mmutex-stress.jar}. */
public final class Main {
    private Main() {}

    /** Runs the command that the first argument names. */
    public static void main(final String[] args) {
        System.exit(CommandRunner.run(commands(), args));
    }

    /** A new command is one entry here and one word in the launcher's list. */
    static List<?> commands() {
        return List.of(new ConformCommand(), new LitmusCommand());
    }
}
