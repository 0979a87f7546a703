package mmutex.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** The suite as a whole: every benchmark runs and does what it claims, every class asks a question. */
class SuiteTest {
    private static final String PACKAGE = "mmutex.bench.jmh";
    private static final Path SOURCES = Path.of("src/main/java/mmutex/bench/jmh");
    private static final Pattern CLASS_COMMENT = Pattern.compile("\n/\\*\\*(.*?)\\*/\n", Pattern.DOTALL);

    /** JMH would refuse to run beside another one on this machine, for its figures' sake: here are none. */
    @BeforeAll
    static void shareTheMachine() {
        System.setProperty("jmh.ignoreLock", "true"); // read when JMH's runner is initialised
    }

    static List<Class<?>> classes() throws IOException {
        try (Stream<Path> files = Files.list(sources())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("Benchmark.java"))
                    .sorted()
                    .<Class<?>>map(name -> load(name.substring(0, name.length() - ".java".length())))
                    .toList();
        }
    }

    /**
     * Once each, in this process, for some milliseconds, with the first value of every parameter, which is the smallest:
     * what is not measured right does not matter here, what throws does.
     */
    @ParameterizedTest
    @MethodSource("classes")
    void shouldRunEveryBenchmarkOnce(final Class<?> type) throws RunnerException {
        assumeTrue(SuiteTest.class.getResource("/META-INF/BenchmarkList") != null, "compiled without JMH's processor");
        final ChainedOptionsBuilder options = new OptionsBuilder()
                .include(Pattern.quote(type.getName() + ".") + ".*")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(5))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
        firstParameters(type).forEach(options::param);

        final Collection<RunResult> results = new Runner(options.build()).run();

        final TreeSet<String> ran = new TreeSet<>();
        results.forEach(result -> ran.add(result.getParams().getBenchmark()));
        assertThat(ran).isEqualTo(benchmarks(type));
    }

    @ParameterizedTest
    @MethodSource("classes")
    void shouldAskAQuestionFirst(final Class<?> type) throws IOException {
        final String source = Files.readString(sources().resolve(type.getSimpleName() + ".java"));
        final Matcher comment = CLASS_COMMENT.matcher(source);

        assertThat(comment.find()).as("a comment on the class").isTrue();
        final String firstParagraph = comment.group(1).split("<p>", 2)[0];
        assertThat(firstParagraph.replace(" *", "").strip()).endsWith("?");
    }

    @ParameterizedTest
    @MethodSource("classes")
    void shouldHaveItsSettingsOnTheClass(final Class<?> type) {
        assertThat(type).hasAnnotations(BenchmarkMode.class, OutputTimeUnit.class, Fork.class);
        assertThat(type).hasAnnotations(Warmup.class, Measurement.class);
    }

    @Test
    void shouldListEveryClassInTheManual() throws IOException {
        final String manual = Files.readString(base().resolve("../docs/user/bench.md"));

        for (final Class<?> type : classes()) {
            assertThat(manual).contains("`" + type.getSimpleName() + "`");
        }
    }

    private static Map<String, String> firstParameters(final Class<?> type) {
        final Map<String, String> first = new TreeMap<>();
        Stream.concat(Stream.of(type), Arrays.stream(type.getDeclaredClasses()))
                .flatMap(state -> Arrays.stream(state.getDeclaredFields()))
                .filter(field -> field.isAnnotationPresent(Param.class))
                .forEach(field -> first.put(field.getName(), firstValue(field)));
        return first;
    }

    private static String firstValue(final Field field) {
        final String given = field.getAnnotation(Param.class).value()[0];
        return given.equals(Param.BLANK_ARGS)
                ? field.getType().getEnumConstants()[0].toString()
                : given;
    }

    /** Names as JMH has them: of a group its own, not its roles'. */
    private static TreeSet<String> benchmarks(final Class<?> type) {
        final TreeSet<String> names = new TreeSet<>();
        for (final Method method : type.getDeclaredMethods()) {
            if (method.isAnnotationPresent(Benchmark.class)) {
                final Group group = method.getAnnotation(Group.class);
                names.add(type.getName() + "." + (group == null ? method.getName() : group.value()));
            }
        }
        return names;
    }

    private static Class<?> load(final String simpleName) {
        try {
            return Class.forName(PACKAGE + "." + simpleName);
        } catch (final ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Path base() {
        return Path.of(System.getProperty("basedir", ""));
    }

    private static Path sources() {
        return base().resolve(SOURCES);
    }
}
