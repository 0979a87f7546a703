package mmutex.cli;

/**
 * Something that the user gave is wrong. {@link CommandRunner} prints the message as one line after the command's name
 * and exits with {@link ExitCode#USAGE}; so it says what is wrong and where, and nothing else.
 */
public final class UsageProblem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message one line, without the command's name
     */
    public UsageProblem(final String message) {
        super(message);
    }

    /**
     * A problem in an input file.
     *
     * @param file name as the user gave it
     * @param line counted from 1
     * @param what what is wrong there
     * @return a problem that reads {@code file line N: what}
     */
    public static UsageProblem inFile(final Object file, final long line, final String what) {
        return new UsageProblem(file + " line " + line + ": " + what);
    }
}
