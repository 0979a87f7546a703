package mmutex.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

class CommandRunnerTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Callable<Integer> body = () -> ExitCode.OK;

    @Command(name = "probe", description = "Probes.")
    private final class Probe implements Callable<Integer> {
        @Option(names = "--cpus")
        private int cpus = 1;

        @Parameters(arity = "0..1")
        private String file;

        @Override
        public Integer call() throws Exception {
            Bounds.check("--cpus", cpus, 1, 64);
            return body.call();
        }
    }

    @Test
    void shouldReturnTheCommandsExitCode() {
        body = () -> ExitCode.FINDING;

        assertThat(run("probe", "--cpus", "64")).isEqualTo(ExitCode.FINDING);
        assertThat(stdout()).isEmpty();
        assertThat(stderr()).isEmpty();
    }

    @Test
    void shouldReportAValueOutOfRangeInOneLine() {
        assertThat(run("probe", "--cpus", "0")).isEqualTo(ExitCode.USAGE);
        assertThat(stderr()).isEqualTo("mmutex probe: --cpus must be 1 to 64, was 0\n");
    }

    @Test
    void shouldReportWhatPicocliRejectsInOneLine() {
        assertThat(run("probe", "--cpus", "many")).isEqualTo(ExitCode.USAGE);
        assertThat(run("probe", "--gpus", "1")).isEqualTo(ExitCode.USAGE);
        assertThat(run("probe", "a", "b")).isEqualTo(ExitCode.USAGE);

        assertThat(stderr().lines())
                .hasSize(3)
                .allMatch(line -> line.startsWith("mmutex probe: "))
                .element(1)
                .isEqualTo("mmutex probe: unknown option: '--gpus'");
    }

    @Test
    void shouldReportABadInputFileWithItsLine() {
        body = () -> {
            throw UsageProblem.inFile("broken.jsonl", 3, "step 4: 'n' must be positive, was -3");
        };

        assertThat(run("probe", "broken.jsonl")).isEqualTo(ExitCode.USAGE);
        assertThat(stderr()).isEqualTo("mmutex probe: broken.jsonl line 3: step 4: 'n' must be positive, was -3\n");
    }

    @Test
    void shouldNameTheCommandsWhenNoneIsGivenOrKnown() {
        assertThat(run()).isEqualTo(ExitCode.USAGE);
        assertThat(run("prove")).isEqualTo(ExitCode.USAGE);

        assertThat(stderr())
                .isEqualTo("mmutex: no command given, expected one of probe\n"
                        + "mmutex: unknown command 'prove', expected one of probe\n");
    }

    @Command(name = "deep")
    private static final class Deep implements Callable<Integer> {
        @Option(names = "--meters")
        private int meters = 1;

        @Override
        public Integer call() {
            return meters;
        }
    }

    @Test
    void shouldRunACommandOfACommand() {
        final CommandLine probe = new CommandLine(new Probe()).addSubcommand(new Deep());

        assertThat(runner().execute(List.of(probe), "probe", "deep", "--meters", "7"))
                .isEqualTo(7);
        assertThat(runner().execute(List.of(probe), "probe", "deep", "--help")).isEqualTo(ExitCode.OK);
        assertThat(stdout()).contains("Usage: mmutex probe deep", "--meters");
    }

    @Test
    void shouldRefuseOptionsInFrontOfTheCommandTheyDoNotReach() {
        final CommandLine probe = new CommandLine(new Probe()).addSubcommand(new Deep());

        assertThat(runner().execute(List.of(probe), "probe", "--cpus", "3", "deep"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(runner().execute(List.of(probe), "probe", "deep", "--cpus", "3"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(stderr())
                .isEqualTo("mmutex probe: options come behind 'deep'\n"
                        + "mmutex probe deep: unknown options: '--cpus', '3'\n");
    }

    @Test
    void shouldShowHelpOnStdout() {
        assertThat(run("probe", "--help")).isEqualTo(ExitCode.OK);

        assertThat(stdout()).contains("mmutex probe", "--cpus", "Probes.");
        assertThat(stderr()).isEmpty();
    }

    @Test
    void shouldReportAnythingElseAsInternalErrorWithItsTrace() {
        body = () -> {
            throw new IllegalStateException("pfn=7 has no frame");
        };

        assertThat(run("probe")).isEqualTo(ExitCode.FINDING);
        assertThat(stderr())
                .startsWith("mmutex probe: internal error: java.lang.IllegalStateException: pfn=7 has no frame\n")
                .contains("\tat " + getClass().getName());
    }

    @Test
    void shouldReportErrorsLikeExceptions() {
        body = () -> {
            throw new AssertionError("refcount=-1");
        };

        assertThat(run("probe")).isEqualTo(ExitCode.FINDING);
        assertThat(stderr()).startsWith("mmutex probe: internal error: java.lang.AssertionError: refcount=-1\n");
    }

    @Test
    void shouldBlameTheMachineWhenMemoryRunsOut() {
        body = () -> {
            throw new OutOfMemoryError("Cannot reserve 2097152 bytes of direct buffer memory");
        };

        assertThat(run("probe")).isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(stderr())
                .isEqualTo("mmutex probe: not enough memory: Cannot reserve 2097152 bytes of direct buffer memory\n");
    }

    @Test
    void shouldNotMindABrokenPipe() {
        body = () -> {
            throw new UncheckedIOException(new IOException("Broken pipe"));
        };

        assertThat(run("probe")).isEqualTo(ExitCode.OK);
        assertThat(stderr()).isEmpty();
    }

    private int run(final String... args) {
        return runner().execute(List.of(new Probe()), args);
    }

    private CommandRunner runner() {
        return new CommandRunner(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    private String stdout() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String stderr() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
