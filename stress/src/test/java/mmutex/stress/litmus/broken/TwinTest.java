package mmutex.stress.litmus.broken;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openjdk.jcstress.infra.runners.TestList;

/** The net has no hole that a list could show: every order has a twin that any machine shows to be wrong. */
class TwinTest {
    private static final Path TABLE = Path.of(System.getProperty("basedir", "")).resolve("../docs/ordering.md");
    private static final Pattern ROW = Pattern.compile("^\\| `([a-z-]+)` \\|", Pattern.MULTILINE);

    @Test
    void shouldSayWhatEachWrongCopyBreaks() throws IOException {
        assertThat(twins())
                .isNotEmpty()
                .allSatisfy(copy -> assertThat(copy.getAnnotation(Twin.class))
                        .as("annotation of %s", copy)
                        .isNotNull());
        assertThat(orders())
                .containsAll(twins().stream()
                        .flatMap(
                                copy -> Stream.of(copy.getAnnotation(Twin.class).breaks()))
                        .collect(Collectors.toSet()));
    }

    @Test
    void shouldHaveATwinForEachOrderThatAnyMachineShows() throws IOException {
        assertThat(twins().stream()
                        .map(copy -> copy.getAnnotation(Twin.class))
                        .filter(twin -> twin.shows().isCertain())
                        .flatMap(twin -> Stream.of(twin.breaks())))
                .containsAll(orders());
    }

    @Test
    void shouldListEachTwinInTheTable() throws IOException {
        final String table = Files.readString(TABLE);

        assertThat(twins()).allSatisfy(copy -> assertThat(table).contains("." + copy.getSimpleName() + "`"));
    }

    private static Set<String> orders() throws IOException {
        return ROW.matcher(Files.readString(TABLE))
                .results()
                .map(row -> row.group(1))
                .collect(Collectors.toSet());
    }

    private static List<Class<?>> twins() {
        return TestList.tests().stream()
                .map(test -> TestList.getInfo(test).binaryName())
                .filter(name -> name.startsWith(TwinTest.class.getPackageName() + "."))
                .<Class<?>>map(TwinTest::load)
                .toList();
    }

    private static Class<?> load(final String name) {
        try {
            return Class.forName(name);
        } catch (final ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
