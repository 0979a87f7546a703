package mmutex.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What can only be seen with the seam on, in VMs of their own: the seam is decided when a VM starts. */
class SeamTest {
    private static String run(final String scene) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add") || argument.startsWith("-XX"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Dmmutex.schedule=true",
                "-cp",
                System.getProperty("java.class.path"),
                WatchedMachine.class.getName(),
                scene));
        final Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        final String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(printed).isZero();
        return printed.lines().reduce("", (before, line) -> line);
    }

    /** I32: the driver lock, though nobody holds it. */
    @Test
    void shouldSeeAWaitInsideACallbackThatMayNotWait() throws IOException, InterruptedException {
        assertThat(run("waits")).startsWith("OK [I32: waits for DL while holding NB <");
    }

    @Test
    void shouldNotMindATry() throws IOException, InterruptedException {
        assertThat(run("polite")).isEqualTo("OK []");
    }

    /** I2: an access in progress says which frame it is at, and no other one does. */
    @Test
    void shouldKnowTheFrameThatAnAccessIsAt() throws IOException, InterruptedException {
        assertThat(run("access")).isEqualTo("true 0");
    }
}
