package mmutex.stress.litmus;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import mmutex.cli.ForkFlags;
import mmutex.cli.UsageProblem;
import org.openjdk.jcstress.Options;

/**
 * jcstress' options with what mmutex adds: flags for the forked VMs, and a raw result file that lies beside the
 * reports instead of in whichever folder the user happens to be.
 */
final class LitmusOptions extends Options {
    /** A place in each test's name by which the wrong copies are known. */
    private static final String OF_BROKEN = ".*\\.litmus\\.broken\\.";

    private final boolean broken;

    private LitmusOptions(final String[] args, final boolean broken) {
        super(args);
        this.broken = broken;
    }

    /**
     * Parses jcstress arguments in silence: it counts the processors aloud, and ends a complaint with its whole help.
     *
     * @param broken whether the wrong copies are to be run, not the tests
     * @throws UsageProblem with the complaint alone
     */
    static LitmusOptions parse(final List<String> arguments, final boolean broken) throws IOException {
        final LitmusOptions options = new LitmusOptions(arguments.toArray(String[]::new), broken);
        final ByteArrayOutputStream complaint = new ByteArrayOutputStream();
        final PrintStream stdout = System.out;
        final PrintStream stderr = System.err;
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        System.setErr(new PrintStream(complaint, true, StandardCharsets.UTF_8));
        final boolean understood;
        try {
            understood = options.parse();
        } finally {
            System.setOut(stdout);
            System.setErr(stderr);
        }
        if (!understood) {
            throw new UsageProblem(complaint
                    .toString(StandardCharsets.UTF_8)
                    .lines()
                    .findFirst()
                    .orElse("jcstress refuses its arguments")
                    .replaceFirst("^ERROR: ", ""));
        }
        checkFilter(options.givenFilter());
        return options;
    }

    private static void checkFilter(final String filter) {
        try {
            Pattern.compile(filter);
        } catch (final PatternSyntaxException e) {
            throw new UsageProblem("-t " + filter + " is no regular expression: " + e.getDescription());
        }
    }

    /** The filter as the user gave it. */
    String givenFilter() {
        return super.getTestFilter();
    }

    /** The user's filter, among the tests or among the wrong copies. */
    @Override
    public String getTestFilter() {
        return (broken ? "^(?=" : "^(?!") + OF_BROKEN + ")(?=.*(?:" + givenFilter() + "))";
    }

    @Override
    public List<String> getJvmArgsPrepend() {
        return Stream.concat(ForkFlags.forThisJdk().stream(), super.getJvmArgsPrepend().stream())
                .toList();
    }

    @Override
    public String getResultFile() {
        return shouldParse() ? super.getResultFile() : getResultDest() + super.getResultFile();
    }
}
