package mmutex.cli;

/** What a command's exit code says, the same for every command and for the launcher. */
public final class ExitCode {
    /** All is well. */
    public static final int OK = 0;

    /** The command found what it looks for: a bug, a failed conformance step, a lost update. Also an internal error. */
    public static final int FINDING = 1;

    /** The command line or an input file is wrong; nothing was done. */
    public static final int USAGE = 2;

    /** The machine lacks something: a JDK, Maven, memory. */
    public static final int ENVIRONMENT = 3;

    /** A comparison found a performance regression. */
    public static final int REGRESSION = 4;

    private ExitCode() {}
}
