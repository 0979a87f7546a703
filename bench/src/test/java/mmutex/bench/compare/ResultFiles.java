package mmutex.bench.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Result files as the commands write them, with chosen figures. */
final class ResultFiles {
    static final String HERE = environment("EPYC", "17.0.15 (Debian)", 7950);

    private ResultFiles() {}

    static String environment(final String machine, final String jdk, final long memoryMib) {
        return "{\"machine\":\"" + machine + "\",\"cores\":2,\"memoryMiB\":" + memoryMib
                + ",\"os\":\"Linux 6.12 amd64\",\"jdk\":\"" + jdk
                + "\",\"jvmFlags\":[],\"commit\":\"0123456789\",\"version\":\"0.1.0\",\"seed\":1}";
    }

    /** A time in ns, lower is better. */
    static String time(final String name, final double[]... forks) {
        return result(name, "avgt", "ns/op", Arrays.deepToString(forks));
    }

    static String rate(final String name, final double[]... forks) {
        return result(name, "thrpt", "ops/s", Arrays.deepToString(forks));
    }

    static String result(final String name, final String mode, final String unit, final String raw) {
        return "{\"benchmark\":\"mmutex.bench.jmh." + name + "\",\"mode\":\"" + mode
                + "\",\"threads\":1,\"jvmArgs\":[\"-Xmx1g\"],\"jdkVersion\":\"17.0.15\",\"vmName\":\"HotSpot\","
                + "\"vmVersion\":\"17.0.15+6\",\"params\":{\"pages\":\"1\"},\"primaryMetric\":{\"scoreUnit\":\"" + unit
                + "\",\"rawData\":" + raw + "}}";
    }

    static String array(final String... results) {
        return Arrays.stream(results).collect(Collectors.joining(",\n", "[", "]"));
    }

    static String saved(final String environment, final String... results) {
        return "{\"format\":\"mmutex-bench/1\",\n\"environment\":" + environment + ",\n\"results\":" + array(results)
                + "}\n";
    }

    /** The output of run: an interval for each p50 of a restore. */
    static String run(final String workload, final long seed, final List<Long> p50s) {
        final String intervals = p50s.stream()
                .map(p50 -> "{\"seconds\":1.0,\"operations\":" + 1_000_000_000L / p50 + ",\"restore\":" + latency(p50)
                        + ",\"make\":{\"count\":0,\"mean\":0.0,\"p50\":0,\"p99\":0}}")
                .collect(Collectors.joining(","));
        return "{\"workload\":\"" + workload + "\",\"profile\":\"K612\",\"delivery\":\"ring\",\"cpus\":2,\"devices\":1,"
                + "\"lanes\":32,\"pages\":1,\"seed\":" + seed + ",\"paths\":{\"restore\":" + latency(p50s.get(0))
                + "},\"intervals\":[" + intervals + "],\"environment\":" + HERE + "}\n";
    }

    private static String latency(final long p50) {
        return "{\"count\":100,\"mean\":" + p50 + ".5,\"p50\":" + p50 + ",\"p99\":" + 2 * p50 + "}";
    }

    /** Three forks of three iterations around {@code value}, a thousandth apart. */
    static double[][] quiet(final double value) {
        return new double[][] {
            {value, value * 1.001, value * 0.999},
            {value * 1.001, value * 1.002, value},
            {value * 0.999, value, value * 0.998}
        };
    }

    static Path write(final Path folder, final String name, final String content) {
        try {
            return Files.writeString(folder.resolve(name), content);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
