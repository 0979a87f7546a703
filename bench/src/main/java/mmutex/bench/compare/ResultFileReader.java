package mmutex.bench.compare;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import mmutex.cli.UsageProblem;

/**
 * Reads a file of results: of {@code bench --save}, JMH's own JSON ({@code -rf json}), or the object that {@code run
 * --json} prints, once or several times in a file. Whatever is wrong with it is a {@link UsageProblem}.
 */
final class ResultFileReader {
    private static final String EXPECTED =
            "expected a file of bench --save, a JSON array of JMH, or the output of run --json";

    private final Path path;
    private final SortedMap<BenchmarkKey, Sample> samples = new TreeMap<>();
    private final SortedSet<String> forkVms = new TreeSet<>();
    private final SortedSet<String> jvmArguments = new TreeSet<>();
    private JsonNode environment;

    private ResultFileReader(final Path path) {
        this.path = path;
    }

    /** Reads. */
    static ResultFile read(final Path path) {
        return new ResultFileReader(path).read();
    }

    private ResultFile read() {
        final List<JsonNode> roots = parse();
        if (roots.isEmpty()) {
            throw problem("is empty, " + EXPECTED);
        }
        final JsonNode first = roots.get(0);
        if (first.has("workload")) {
            roots.forEach(this::run);
        } else if (roots.size() > 1) {
            throw problem("holds " + roots.size() + " JSON values, " + EXPECTED);
        } else if (first.isArray()) {
            benchmarks(first, "");
        } else if (first.has("format")) {
            saved(first);
        } else {
            throw problem("has no 'format', " + EXPECTED);
        }
        if (samples.isEmpty()) {
            throw problem("holds no results");
        }
        return new ResultFile(path, environment, forkVms, jvmArguments, samples);
    }

    private List<JsonNode> parse() {
        try {
            final ObjectMapper mapper = new ObjectMapper();
            final List<JsonNode> roots = new ArrayList<>();
            try (JsonParser parser = mapper.createParser(Files.readString(path))) {
                while (parser.nextToken() != null) {
                    roots.add(mapper.readTree(parser));
                }
            }
            return roots;
        } catch (final JsonProcessingException e) {
            final int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw UsageProblem.inFile(path, line, "is not JSON: " + firstLine(e.getOriginalMessage()));
        } catch (final NoSuchFileException e) {
            throw problem("cannot be read (no such file)");
        } catch (final CharacterCodingException e) {
            throw problem("is not JSON: not in UTF-8");
        } catch (final AccessDeniedException e) {
            throw problem("cannot be read (permission denied)");
        } catch (final IOException e) {
            throw problem("cannot be read (" + e.getMessage() + ")");
        }
    }

    // ---- bench ----------------------------------------------------------------------------------------------

    private void saved(final JsonNode file) {
        final String format = file.path("format").asText();
        if (!format.equals(BenchFile.FORMAT)) {
            throw problem("has the format '" + format + "', expected '" + BenchFile.FORMAT + "'");
        }
        environment(file);
        if (!file.path("results").isArray()) {
            throw problem("has no array 'results'");
        }
        benchmarks(file.get("results"), "results");
    }

    private void environment(final JsonNode holder) {
        final JsonNode found = holder.path("environment");
        if (!found.isObject()) {
            throw problem("has no object 'environment'");
        }
        if (environment != null && !Conditions.differences(environment, found).isEmpty()) {
            throw problem("holds runs from different machines or JDKs: "
                    + String.join(", ", Conditions.differences(environment, found)));
        }
        environment = environment == null ? found : environment;
    }

    private void benchmarks(final JsonNode array, final String name) {
        for (int i = 0; i < array.size(); i++) {
            benchmark(array.get(i), name + "[" + i + "]");
        }
    }

    private void benchmark(final JsonNode result, final String place) {
        final String name = text(result, "benchmark", place);
        final String mode = text(result, "mode", place);
        final Direction direction = switch (mode) {
            case "thrpt" -> Direction.HIGHER_IS_BETTER;
            case "avgt", "sample", "ss" -> Direction.LOWER_IS_BETTER;
            default -> throw problem(place + ": unknown mode '" + mode + "'");
        };
        final SortedMap<String, String> params = new TreeMap<>();
        result.path("params")
                .properties()
                .forEach(param -> params.put(param.getKey(), param.getValue().asText()));
        final JsonNode metric = result.path("primaryMetric");
        final String raw = metric.has("rawDataHistogram") ? "rawDataHistogram" : "rawData";
        final String rawPlace = place + ".primaryMetric." + raw;
        if (!metric.path(raw).isArray() || metric.path(raw).isEmpty()) {
            throw problem(rawPlace + " (" + name + ") is missing: no figures of forks and iterations");
        }
        final List<double[]> forks = new ArrayList<>();
        for (final JsonNode fork : metric.get(raw)) {
            final String forkPlace = rawPlace + "[" + forks.size() + "]";
            if (!fork.isArray() || fork.isEmpty()) {
                throw problem(forkPlace + " (" + name + ") must be an array of iterations");
            }
            final double[] figures = new double[fork.size()];
            for (int i = 0; i < figures.length; i++) {
                final String figurePlace = forkPlace + "[" + i + "] (" + name + ")";
                figures[i] = metric.has("rawDataHistogram")
                        ? histogramMean(fork.get(i), figurePlace)
                        : positive(fork.get(i), figurePlace);
            }
            forks.add(figures);
        }
        final int threads = result.path("threads").asInt(1);
        add(
                new BenchmarkKey(name, params, mode, threads),
                new Sample(text(metric, "scoreUnit", place + ".primaryMetric"), direction, forks));
        forkVms.add(vm(result));
        for (final JsonNode argument : result.path("jvmArgs")) {
            // Forks inherit what the launcher says about the terminal.
            if (!argument.asText().startsWith("-Dmmutex.tty")) {
                jvmArguments.add(argument.asText());
            }
        }
    }

    private static String vm(final JsonNode result) {
        return String.join(
                        " ",
                        result.path("jdkVersion").asText(),
                        result.path("vmName").asText(),
                        result.path("vmVersion").asText())
                .strip();
    }

    /** Sampled times of one iteration: pairs of a time and how often it was seen. */
    private double histogramMean(final JsonNode pairs, final String place) {
        double sum = 0;
        double count = 0;
        for (final JsonNode pair : pairs) {
            final double times = positive(pair.path(1), place + " count");
            sum += notNegative(pair.path(0), place) * times;
            count += times;
        }
        if (count == 0 || sum == 0) {
            throw problem(place + " must hold times");
        }
        return sum / count;
    }

    // ---- run ------------------------------------------------------------------------------------------------

    /** One output of run: its intervals are the iterations of one fork. */
    private void run(final JsonNode run) {
        if (!run.has("workload") || !run.path("paths").isObject()) {
            throw problem("holds a JSON value that run --json did not print");
        }
        environment(run);
        final SortedMap<String, String> params = new TreeMap<>();
        for (final String option :
                List.of("profile", "delivery", "protocol", "cpus", "devices", "lanes", "pages", "phasesTimed")) {
            if (run.has(option)) {
                params.put(option, run.get(option).asText());
            }
        }
        final String name = "run " + run.path("workload").asText();
        final List<JsonNode> intervals = intervals(run);
        for (final String path : List.of("restore", "make")) {
            for (final String figure : List.of("p50", "p99")) {
                final double[] figures = intervals.stream()
                        .map(interval -> interval.path(path))
                        .filter(latency -> latency.path("count").asLong() > 0)
                        .mapToDouble(latency -> positive(latency.path(figure), name + ": " + path + "." + figure))
                        .toArray();
                addRun(
                        new BenchmarkKey(name + "." + path, params, figure, 1),
                        "ns",
                        Direction.LOWER_IS_BETTER,
                        figures);
            }
        }
        final double[] rates = intervals.stream()
                .filter(interval -> interval.path("operations").asLong() > 0)
                .mapToDouble(interval -> positive(interval.path("operations"), name + ": operations")
                        / positive(interval.path("seconds"), name + ": seconds"))
                .toArray();
        addRun(new BenchmarkKey(name + ".operations", params, "thrpt", 1), "ops/s", Direction.HIGHER_IS_BETTER, rates);
    }

    private void addRun(final BenchmarkKey key, final String unit, final Direction direction, final double[] figures) {
        if (figures.length != 0) {
            add(key, new Sample(unit, direction, List.of(figures)));
        }
    }

    /** Of three or more without the first, in which the JVM warms up; without a short rest at the end. */
    private static List<JsonNode> intervals(final JsonNode run) {
        final List<JsonNode> all = new ArrayList<>();
        run.path("intervals").forEach(all::add);
        if (all.isEmpty()) {
            return List.of(run.get("paths"));
        }
        final double longest = all.stream()
                .mapToDouble(interval -> interval.path("seconds").asDouble())
                .max()
                .orElse(0);
        all.removeIf(interval -> interval.path("seconds").asDouble() < longest / 2);
        return all.size() >= 3 ? all.subList(1, all.size()) : all;
    }

    // ---- figures --------------------------------------------------------------------------------------------

    private void add(final BenchmarkKey key, final Sample sample) {
        final Sample known = samples.get(key);
        if (known != null && !known.unit().equals(sample.unit())) {
            throw problem(key.shortName() + " has two units, " + known.unit() + " and " + sample.unit());
        }
        samples.put(key, known == null ? sample : known.plus(sample));
    }

    private double positive(final JsonNode figure, final String place) {
        final double value = notNegative(figure, place);
        if (value == 0) {
            throw problem(place + " must be positive, was 0");
        }
        return value;
    }

    private double notNegative(final JsonNode figure, final String place) {
        if (!figure.isNumber()) {
            throw problem(place + " must be a number, was "
                    + (figure.isMissingNode() ? "missing" : figure.isTextual() ? figure.asText() : figure.toString()));
        }
        final double value = figure.asDouble();
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw problem(place + " must be positive, was " + figure);
        }
        return value;
    }

    private String text(final JsonNode object, final String field, final String place) {
        if (!object.path(field).isTextual()) {
            throw problem(place + " has no text '" + field + "'");
        }
        return object.get(field).asText();
    }

    private UsageProblem problem(final String what) {
        return new UsageProblem(path + ": " + what);
    }

    private static String firstLine(final String text) {
        return text.lines().findFirst().orElse("");
    }
}
