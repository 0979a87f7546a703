package mmutex.bench.nativefloor;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mmutex.cli.ForkFlags;

/** Measures in a VM that has nothing else to do, started as JMH starts its forks. */
public final class OurVm {
    private OurVm() {}

    /**
     * Runs a class that prints what the C programs print ({@link Samples#print}), to its end.
     *
     * @param secondsMax it is killed after that
     * @throws IOException if it failed; the message says how
     */
    public static NativeResult run(final Class<?> main, final long secondsMax, final String... arguments)
            throws IOException {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // What this VM was started with, and what the jar's manifest had told it.
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-agentlib"))
                .forEach(command::add);
        command.addAll(ForkFlags.forThisJdk());
        command.addAll(List.of("-cp", classPath(), main.getName()));
        command.addAll(List.of(arguments));
        final NativePrograms.Ended ended = NativePrograms.execute(command, secondsMax);
        if (ended.code() != 0) {
            throw new IOException("our own paths could not be measured: " + ended.reason());
        }
        return NativeResult.parse(ended.out());
    }

    /** Absolute, since a class path may be relative to where this VM was started. */
    private static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> new File(entry).getAbsolutePath())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
