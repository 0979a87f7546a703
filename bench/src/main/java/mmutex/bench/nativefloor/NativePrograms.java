package mmutex.bench.nativefloor;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import mmutex.cli.UsageProblem;

/**
 * The C programs, built with the machine's own compiler: {@code $CC}, or the first of cc, gcc and clang on the path.
 *
 * <p>Sources come from the jar; programs are kept in a temporary directory until {@link #close}, or the end of the VM. No
 * compiler is no error: {@link #build} says so.
 *
 * <p>Threads: one at a time.
 */
public final class NativePrograms implements AutoCloseable {
    /**
     * Their names. {@code protocol} does what core does; {@code straight} takes the same steps with the fewest atomic
     * operations.
     */
    public static final List<String> NAMES = List.of("protocol", "straight", "roundtrip", "userfault", "sigsegv");

    /** Everything in {@code bench/native}. */
    static final List<String> SOURCES = List.of(
            "floor.h",
            "machine.h",
            "notify.h",
            "space.h",
            "driver.h",
            "cpu.h",
            "protocol.c",
            "roundtrip.c",
            "userfault.c",
            "sigsegv.c");

    private static final String STRAIGHT = "straight";
    private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");
    private static final List<String> FLAGS =
            List.of("-std=c11", "-D_GNU_SOURCE", "-O2", "-pthread", "-Wall", "-Wextra");
    private static final long COMPILE_SECONDS_MAX = 60;
    private static final long RUN_SECONDS_MAX = 120;

    private final Path directory;
    private final String compiler;
    private final Thread remover = new Thread(this::removeAll, "mmutex-native-remover");

    private NativePrograms(final Path directory, final String compiler) {
        this.directory = directory;
        this.compiler = compiler;
        Runtime.getRuntime().addShutdownHook(remover);
    }

    /**
     * What {@link #build} comes to: programs, or why there are none.
     *
     * @param programs usable until closed; null if there are none
     * @param reason one line; null if there are programs
     */
    public record Built(NativePrograms programs, String reason) {
        /** Whether there are programs. */
        public boolean isUsable() {
            return programs != null;
        }
    }

    /** Builds all programs. Takes a second or two. */
    public static Built build() {
        return build(System.getenv());
    }

    static Built build(final Map<String, String> environment) {
        if (!System.getProperty("os.name").equals("Linux")) {
            return new Built(null, "the native programs are for Linux, this is " + System.getProperty("os.name"));
        }
        final String wanted = environment.getOrDefault("CC", "").strip();
        final List<String> candidates = wanted.isEmpty() ? COMPILERS : List.of(wanted);
        final String found = candidates.stream()
                .flatMap(name -> executables(name, environment.getOrDefault("PATH", "")))
                .findFirst()
                .orElse(null);
        if (found == null) {
            return new Built(
                    null,
                    wanted.isEmpty()
                            ? "no C compiler found (looked for " + String.join(", ", COMPILERS) + ", or set CC)"
                            : "no C compiler found: CC is '" + wanted + "'");
        }
        return compileAll(found);
    }

    private static Built compileAll(final String compiler) {
        NativePrograms programs = null;
        try {
            programs = new NativePrograms(Files.createTempDirectory("mmutex-native"), compiler);
            for (final String source : SOURCES) {
                programs.copy(source);
            }
            for (final String name : NAMES) {
                programs.compile(name, name, List.of());
            }
            return new Built(programs, null);
        } catch (final IOException e) {
            if (programs != null) {
                programs.close();
            }
            return new Built(null, "the native programs could not be built: " + e.getMessage());
        }
    }

    /** The compiler's path, for a result's environment. */
    public String compiler() {
        return compiler;
    }

    /**
     * Runs a program to its end.
     *
     * @param program one of {@link #NAMES}
     * @param arguments its own: {@code --seconds}, {@code --rounds}, {@code --pages}
     * @return its rows; if it failed or did not end in time, a result whose rows all say why
     * @throws IllegalArgumentException if there is no such program
     * @throws UsageProblem if it refused an argument
     */
    public NativeResult run(final String program, final String... arguments) {
        if (!NAMES.contains(program)) {
            throw new IllegalArgumentException("no native program of this name: " + program);
        }
        final List<String> command = new ArrayList<>();
        command.add(directory.resolve(program).toString());
        command.addAll(List.of(arguments));
        try {
            final Ended ended = execute(command, RUN_SECONDS_MAX + 10 * (long) seconds(arguments));
            if (ended.code == 2) {
                throw new UsageProblem(ended.err.strip());
            }
            return ended.code == 0
                    ? NativeResult.parse(ended.out)
                    : NativeResult.failed(program, program + " failed: " + ended.reason());
        } catch (final IOException | IllegalArgumentException e) {
            return NativeResult.failed(program, program + " failed: " + e.getMessage());
        }
    }

    /**
     * Locked instructions and fences of a make and a restore, counted by a build of {@code protocol.c} made for it.
     *
     * @param program protocol or straight
     * @return the program's object, {@code {"make":n,"restore":n}}
     * @throws IOException if it can't be built or fails
     */
    String countOperations(final String program) throws IOException {
        final String counting = program + "-count";
        compile(program, counting, List.of("-DCOUNT_OPERATIONS"));
        final Ended ended = execute(List.of(directory.resolve(counting).toString()), RUN_SECONDS_MAX);
        if (ended.code != 0) {
            throw new IOException(counting + ": " + ended.reason());
        }
        return ended.out;
    }

    /** Deletes the programs. */
    @Override
    public void close() {
        removeAll();
        try {
            Runtime.getRuntime().removeShutdownHook(remover);
        } catch (final IllegalStateException shuttingDown) {
            return; // the hook has nothing left to do
        }
    }

    // ---- building -------------------------------------------------------------------------------------------

    /** As a shell would: a name with a slash is a path, others are looked for in the directories of PATH. */
    private static Stream<String> executables(final String name, final String path) {
        final Stream<Path> candidates = name.contains("/")
                ? Stream.of(Path.of(name))
                : Stream.of(path.split(File.pathSeparator))
                        .filter(directory -> !directory.isEmpty())
                        .map(directory -> Path.of(directory, name));
        return candidates
                .filter(Files::isExecutable)
                .filter(Files::isRegularFile)
                .map(Path::toString);
    }

    private void copy(final String source) throws IOException {
        try (InputStream in = NativePrograms.class.getResourceAsStream(source)) {
            if (in == null) {
                throw new IOException("this build contains no " + source);
            }
            Files.copy(in, directory.resolve(source));
        }
    }

    private void compile(final String name, final String output, final List<String> more) throws IOException {
        final List<String> command = new ArrayList<>();
        command.add(compiler);
        command.addAll(FLAGS);
        command.addAll(more);
        command.addAll(List.of("-o", directory.resolve(output).toString()));
        if (name.equals(STRAIGHT)) {
            command.add("-DSTRAIGHT");
        }
        command.add(directory
                .resolve((name.equals(STRAIGHT) ? "protocol" : name) + ".c")
                .toString());
        final Ended ended = execute(command, COMPILE_SECONDS_MAX);
        if (ended.code != 0) {
            throw new IOException(Path.of(compiler).getFileName() + ": " + ended.reason());
        }
    }

    private void removeAll() {
        try (Stream<Path> files = Files.walk(directory)) {
            for (final Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (final IOException | UncheckedIOException e) {
            return; // gone already, or the system's to tidy up
        }
    }

    // ---- running --------------------------------------------------------------------------------------------

    private static double seconds(final String... arguments) {
        for (int i = 0; i + 1 < arguments.length; i++) {
            if (arguments[i].equals("--seconds")) {
                try {
                    return Double.parseDouble(arguments[i + 1]);
                } catch (final NumberFormatException e) {
                    return 0; // the program will say so
                }
            }
        }
        return 0;
    }

    /** A process that has ended. */
    record Ended(int code, String out, String err) {
        /** The first line on stderr, or the code. */
        String reason() {
            return err.lines().findFirst().orElse("exit code " + code);
        }
    }

    /**
     * Runs a process to its end.
     *
     * @throws IOException if it can't be started or does not end in time; then it is killed
     */
    static Ended execute(final List<String> command, final long secondsMax) throws IOException {
        final Process process = new ProcessBuilder(command).start();
        process.getOutputStream().close();
        final Drain out = new Drain(process.getInputStream());
        final Drain err = new Drain(process.getErrorStream());
        try {
            if (!process.waitFor(secondsMax, TimeUnit.SECONDS)) {
                throw new IOException(
                        Path.of(command.get(0)).getFileName() + " did not end within " + secondsMax + " s");
            }
            return new Ended(process.exitValue(), out.text(), err.text());
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Reads a stream to its end, so that the process never waits for us. */
    private static final class Drain {
        private final InputStream in;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final Thread thread = new Thread(this::readAll, "mmutex-native-drain");

        Drain(final InputStream in) {
            this.in = in;
            thread.setDaemon(true);
            thread.start();
        }

        String text() throws InterruptedException {
            thread.join();
            return bytes.toString(StandardCharsets.UTF_8);
        }

        private void readAll() {
            try {
                in.transferTo(bytes);
            } catch (final IOException e) {
                return; // the process was killed
            }
        }
    }
}
