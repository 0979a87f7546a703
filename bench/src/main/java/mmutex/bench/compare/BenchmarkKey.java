package mmutex.bench.compare;

import java.util.Collections;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What was measured: two files' figures are compared where all of this is the same.
 *
 * @param name of the benchmark, with its class
 * @param params by name
 * @param mode JMH's short name, or what of a run's distribution the figure is
 * @param threads of the benchmark
 */
record BenchmarkKey(String name, Map<String, String> params, String mode, int threads)
        implements Comparable<BenchmarkKey> {
    private static final Comparator<BenchmarkKey> ORDER = Comparator.comparing(BenchmarkKey::name)
            .thenComparing(key -> key.params().toString())
            .thenComparing(BenchmarkKey::mode)
            .thenComparingInt(BenchmarkKey::threads);

    BenchmarkKey {
        params = Collections.unmodifiableSortedMap(new TreeMap<>(params));
    }

    @Override
    public int compareTo(final BenchmarkKey other) {
        return ORDER.compare(this, other);
    }

    /** Class and method without the package, then the parameters, in words separated by spaces. */
    String shortName() {
        final int method = name.lastIndexOf('.');
        final int type = name.lastIndexOf('.', method - 1);
        final String parameters = params.entrySet().stream()
                .map(param -> " " + param.getKey() + "=" + param.getValue())
                .collect(Collectors.joining());
        return name.substring(type + 1) + parameters + (threads == 1 ? "" : " threads=" + threads);
    }
}
