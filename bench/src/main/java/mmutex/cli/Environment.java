package mmutex.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where and with what a result was obtained; every result carries it.
 *
 * @param machine the processor's name
 * @param cores processors that this VM may use
 * @param memoryMib memory of the machine or of the container that limits this VM, in MiB; 0 if unknown
 * @param os name, version (of Linux, the kernel's release) and architecture
 * @param jdk version, vendor and VM
 * @param jvmFlags the VM's own flags, without those by which the launcher only describes the terminal
 * @param commit abbreviated, {@code -dirty} when built from a changed tree, {@code unknown} outside git
 * @param version of mmutex
 */
public record Environment(
        String machine,
        int cores,
        long memoryMib,
        String os,
        String jdk,
        List<String> jvmFlags,
        String commit,
        String version) {
    private static final int MIB_SHIFT = 20;
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final List<String> TERMINAL_FLAGS =
            List.of("-Dmmutex.tty", "-Dfile.encoding", "-Dstdout.", "-Dstderr.", "-Dsun.stdout.", "-Dsun.stderr.");

    /** The environment of this VM. */
    public static Environment current() {
        return new Environment(
                processor(),
                Runtime.getRuntime().availableProcessors(),
                totalMemoryMib(),
                property("os.name") + " " + property("os.version") + " " + property("os.arch"),
                property("java.version") + " (" + property("java.vendor") + ", " + property("java.vm.name") + ")",
                ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                        .filter(flag -> TERMINAL_FLAGS.stream().noneMatch(flag::startsWith))
                        .toList(),
                Build.commit(),
                Build.version());
    }

    /** The version that people read, without what marks it as unreleased; the commit says more. */
    public String release() {
        return version.replace("-SNAPSHOT", "");
    }

    /** Names and values in a fixed order, ready for a JSON writer. */
    public Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("machine", machine);
        json.put("cores", cores);
        json.put("memoryMiB", memoryMib);
        json.put("os", os);
        json.put("jdk", jdk);
        json.put("jvmFlags", jvmFlags);
        json.put("commit", commit);
        json.put("version", version);
        return json;
    }

    /** Linux names the processor; elsewhere, and on ARM, the architecture has to do. */
    private static String processor() {
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(property("os.arch"));
        } catch (final IOException e) {
            return property("os.arch");
        }
    }

    private static long totalMemoryMib() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof final OperatingSystemMXBean system
                ? system.getTotalMemorySize() >> MIB_SHIFT
                : 0;
    }

    private static String property(final String name) {
        return System.getProperty(name, "unknown");
    }
}
