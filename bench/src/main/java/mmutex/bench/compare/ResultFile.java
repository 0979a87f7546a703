package mmutex.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;

/**
 * A file of results.
 *
 * @param path as the user gave it
 * @param environment as recorded; null in what JMH wrote by itself
 * @param forkVms the Java VMs that ran the benchmarks
 * @param jvmArguments what these VMs were given
 * @param samples by what was measured
 */
record ResultFile(
        Path path,
        JsonNode environment,
        SortedSet<String> forkVms,
        SortedSet<String> jvmArguments,
        SortedMap<BenchmarkKey, Sample> samples) {

    ResultFile {
        forkVms = Collections.unmodifiableSortedSet(forkVms);
        jvmArguments = Collections.unmodifiableSortedSet(jvmArguments);
        samples = Collections.unmodifiableSortedMap(samples);
    }

    /** A field of the environment as text; empty if it isn't there. */
    String environmentField(final String name) {
        return environment == null ? "" : environment.path(name).asText();
    }
}
