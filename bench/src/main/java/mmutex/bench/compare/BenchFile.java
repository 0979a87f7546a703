package mmutex.bench.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import mmutex.cli.Environment;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;

/**
 * What {@code bench --save} writes: JMH's own JSON array, with every fork's and iteration's figures, and the environment
 * that it leaves out.
 */
public final class BenchFile {
    /** The first key's value; a format that old readers can't read gets another number. */
    static final String FORMAT = "mmutex-bench/1";

    private BenchFile() {}

    /** The file's content; {@code seed} is what the forks got. */
    public static String of(final Collection<RunResult> results, final Environment environment, final long seed) {
        final Map<String, Object> described = environment.toJson();
        described.put("seed", seed);
        final Map<String, Object> file = new LinkedHashMap<>();
        file.put("format", FORMAT);
        file.put("environment", described);
        try {
            final ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
            file.put("results", array(mapper, results));
            return mapper.writeValueAsString(file) + "\n";
        } catch (final JsonProcessingException e) {
            throw new IllegalStateException("JMH wrote what is not JSON", e);
        }
    }

    private static JsonNode array(final ObjectMapper mapper, final Collection<RunResult> results)
            throws JsonProcessingException {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(results);
        }
        return mapper.readTree(bytes.toString(StandardCharsets.UTF_8));
    }
}
