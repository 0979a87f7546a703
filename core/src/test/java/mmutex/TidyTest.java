package mmutex;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Habits that no compiler checks: every memory order has a name that stands at both of its ends and in docs/ordering.md, and
 * core neither prints nor makes threads nor reads a wall clock.
 */
class TidyTest {
    private static final Path MODULE = Path.of(System.getProperty("basedir", ""));
    private static final Path SOURCES = MODULE.resolve("src/main/java");
    private static final Path LITMUS_TESTS = MODULE.resolve("../stress/src/main/java/mmutex/stress/litmus/tests");
    private static final Path TABLE = MODULE.resolve("../docs/ordering.md");

    /** A site is a comment beside the access; a mention in Javadoc is none. */
    private static final Pattern SITE = Pattern.compile("//.*?ORDER\\(([a-z-]+)\\)");

    private static final Pattern ROW = Pattern.compile("^\\| `([a-z-]+)` \\|(.*)\\|$");
    private static final Pattern METHOD = Pattern.compile("`([A-Z]\\w+)\\.(\\w+)`");
    private static final Pattern LITMUS_CLASS = Pattern.compile("`([A-Z]\\w+Stress)\\b[^`]*`");
    private static final int WRITER = 0;
    private static final int READER = 1;
    private static final int LITMUS = 3;

    private static final Map<String, String> FORBIDDEN = Map.of(
            "prints", "System\\.(out|err)\\b|printStackTrace",
            "makes threads", "new Thread\\(|Thread\\.of|Executors\\.|CompletableFuture|ForkJoinPool|new Timer\\(",
            "reads a wall clock", "currentTimeMillis|Instant\\.now|LocalDate|Clock\\.system|new Date\\(",
            "sleeps", "Thread\\.sleep|TimeUnit\\.\\w+\\.sleep");

    @Test
    void shouldNameEachOrderAtBothEnds() {
        final Map<String, Long> sites =
                orderSites().stream().collect(Collectors.groupingBy(Site::order, TreeMap::new, Collectors.counting()));

        // Without exception: an order with one end orders nothing. Where the other end is inside a library call, or is
        // a lock's, the call or the place that relies on the lock carries the name.
        assertThat(sites).isNotEmpty();
        assertThat(sites)
                .as("sites of each order")
                .allSatisfy((order, count) ->
                        assertThat(count).as("sites of ORDER(%s)", order).isGreaterThanOrEqualTo(2));
    }

    @Test
    void shouldHaveARowForEachOrderAndNoOther() {
        assertThat(rows().keySet())
                .containsExactlyInAnyOrderElementsOf(
                        orderSites().stream().map(Site::order).collect(Collectors.toSet()));
    }

    @Test
    void shouldNamePlacesInTheTableWhereTheOrderIs() {
        rows().forEach((order, cells) -> {
            for (final int column : List.of(WRITER, READER)) {
                final List<String> places = METHOD.matcher(cells.get(column))
                        .results()
                        .map(place -> place.group(1) + "." + place.group(2))
                        .toList();
                assertThat(places)
                        .as("places of ORDER(%s) in column %d", order, column)
                        .isNotEmpty()
                        .allMatch(place -> isPlaceOf(order, place));
            }
        });
    }

    @Test
    void shouldNameLitmusTestsThatExist() {
        rows().forEach((order, cells) -> assertThat(LITMUS_CLASS
                        .matcher(cells.get(LITMUS))
                        .results()
                        .map(test -> test.group(1))
                        .toList())
                .as("litmus tests of ORDER(%s)", order)
                .isNotEmpty()
                .allMatch(test -> Files.exists(LITMUS_TESTS.resolve(test + ".java"))));
    }

    @Test
    void shouldNeitherPrintNorMakeThreadsNorReadAWallClock() {
        for (final Path file : javaFiles(SOURCES)) {
            for (final String line : lines(file)) {
                final String code = withoutComment(line);
                FORBIDDEN.forEach((what, pattern) ->
                        assertThat(code).as("%s %s", file, what).doesNotContainPattern(pattern));
            }
        }
    }

    @Test
    void shouldReadTheMonotonicClockOnlyToDecideHowToWait() {
        assertThat(javaFiles(SOURCES).stream()
                        .filter(file -> lines(file).stream()
                                .anyMatch(line -> withoutComment(line).contains("nanoTime")))
                        .map(file -> file.getFileName().toString()))
                .containsExactly("YieldPolicy.java");
    }

    private record Site(String order, Path file) {}

    private static List<Site> orderSites() {
        final List<Site> sites = new ArrayList<>();
        for (final Path file : javaFiles(SOURCES)) {
            for (final String line : lines(file)) {
                final Matcher matcher = SITE.matcher(line);
                if (matcher.find()) {
                    sites.add(new Site(matcher.group(1), file));
                }
            }
        }
        return sites;
    }

    /** Whether a class has the order at a place of its own, and a method of that name. */
    private static boolean isPlaceOf(final String order, final String place) {
        final String[] parts = place.split("\\.");
        return orderSites().stream()
                .filter(site -> site.order.equals(order)
                        && site.file.getFileName().toString().equals(parts[0] + ".java"))
                .anyMatch(site ->
                        lines(site.file).stream().anyMatch(line -> line.matches("    .*\\b" + parts[1] + "\\(.*")));
    }

    /** The rows of the table of orders: the cells behind the name. */
    private static Map<String, List<String>> rows() {
        final Map<String, List<String>> rows = new TreeMap<>();
        for (final String line : lines(TABLE)) {
            final Matcher matcher = ROW.matcher(line);
            if (matcher.matches()) {
                final List<String> cells = Stream.of(matcher.group(2).split("\\|"))
                        .map(String::strip)
                        .toList();
                assertThat(rows.put(matcher.group(1), cells))
                        .as("first row of %s", matcher.group(1))
                        .isNull();
            }
        }
        return rows;
    }

    private static String withoutComment(final String line) {
        final String stripped = line.strip();
        if (stripped.startsWith("*") || stripped.startsWith("/*")) {
            return "";
        }
        final int comment = line.indexOf("//");
        return comment < 0 ? line : line.substring(0, comment);
    }

    private static List<Path> javaFiles(final Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(final Path file) {
        try {
            return Files.readAllLines(file);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
