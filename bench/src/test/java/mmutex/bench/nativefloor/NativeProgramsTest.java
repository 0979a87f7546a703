package mmutex.bench.nativefloor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeProgramsTest {
    private static final NativePrograms.Built BUILT = NativePrograms.build();
    private static final Path FOLDER =
            Path.of(System.getProperty("basedir", "")).resolve("native");

    @AfterAll
    static void removePrograms() {
        if (BUILT.isUsable()) {
            BUILT.programs().close();
        }
    }

    private static NativePrograms programs() {
        // A compiler that is there and fails is a finding: only its absence skips.
        assumeTrue(BUILT.isUsable() || !BUILT.reason().startsWith("no C compiler"), BUILT.reason());
        assertThat(BUILT.reason()).isNull();
        return BUILT.programs();
    }

    @Test
    void shouldSayThatThereIsNoCompiler(@TempDir final Path empty) {
        final NativePrograms.Built wrongName = NativePrograms.build(Map.of("CC", "/nonexistent"));
        final NativePrograms.Built none = NativePrograms.build(Map.of("PATH", empty.toString()));

        assertThat(wrongName.isUsable()).isFalse();
        assertThat(wrongName.reason()).isEqualTo("no C compiler found: CC is '/nonexistent'");
        assertThat(none.isUsable()).isFalse();
        assertThat(none.reason()).startsWith("no C compiler found (looked for cc, gcc, clang");
    }

    @Test
    void shouldSayThatACompilerFailed(@TempDir final Path folder) throws IOException {
        final Path compiler = Files.writeString(folder.resolve("cc"), "#!/bin/sh\necho broken >&2\nexit 1\n");
        assertThat(compiler.toFile().setExecutable(true)).isTrue();

        final NativePrograms.Built built = NativePrograms.build(Map.of("PATH", folder.toString()));

        assertThat(built.isUsable()).isFalse();
        assertThat(built.reason()).endsWith("cc: broken");
    }

    @Test
    void shouldPackageEverySource() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            assertThat(files.map(file -> file.getFileName().toString()).toList())
                    .containsExactlyInAnyOrderElementsOf(NativePrograms.SOURCES);
        }
    }

    @Test
    void shouldCompileWithoutWarnings() throws IOException {
        programs();
        for (final String name : List.of("protocol", "roundtrip", "userfault", "sigsegv")) {
            final NativePrograms.Ended ended = NativePrograms.execute(
                    List.of(
                            BUILT.programs().compiler(),
                            "-std=c11",
                            "-D_GNU_SOURCE",
                            "-O2",
                            "-Wall",
                            "-Wextra",
                            "-Werror",
                            "-fsyntax-only",
                            FOLDER.resolve(name + ".c").toString()),
                    60);

            assertThat(ended.code()).as(ended.err()).isZero();
        }
    }

    @Test
    void shouldPrintEveryRowOfTheTable() {
        final NativePrograms programs = programs();
        for (final String program : NativePrograms.NAMES) {
            final NativeResult result = programs.run(program, "--rounds", "20", "--pages", "8");

            assertThat(result.failure()).isNull();
            assertThat(result.program()).isEqualTo(program);
            assertThat(result.clockNs()).isPositive();
            assertThat(Comparison.ALL.stream().filter(c -> c.program().equals(program)))
                    .isNotEmpty()
                    .allSatisfy(c -> assertThat(result.rows()).containsKey(c.row()));
            assertThat(result.rows().values()).allSatisfy(row -> assertComplete(row));
        }
    }

    private static void assertComplete(final NativeRow row) {
        if (row.isAvailable()) {
            assertThat(row.count()).isPositive();
            assertThat(row.median()).isNotNegative().isLessThanOrEqualTo(row.p99());
            assertThat(row.p99()).isLessThanOrEqualTo(row.max());
        } else {
            assertThat(row.unavailable()).isNotBlank();
        }
    }

    @Test
    void shouldRefuseBadArguments() {
        final NativePrograms programs = programs();

        assertThatThrownBy(() -> programs.run("protocol", "--pages", "0"))
                .isInstanceOf(UsageProblem.class)
                .hasMessageContaining("bad value '0'");
        assertThatThrownBy(() -> programs.run("sigsegv", "--frob", "1"))
                .isInstanceOf(UsageProblem.class)
                .hasMessageContaining("unknown option '--frob'");
        assertThatThrownBy(() -> programs.run("userfault", "--seconds"))
                .isInstanceOf(UsageProblem.class)
                .hasMessageContaining("'--seconds'");
        assertThatThrownBy(() -> programs.run("protokoll")).isInstanceOf(IllegalArgumentException.class);
    }

    /** The table at the top of protocol.c is what its reader compares with core: it must be what the program does. */
    @Test
    void shouldPerformAsManyLockedOperationsAsItsTableSays() throws IOException {
        final String source = source("protocol.c");

        assertThat(counted("protocol")).isEqualTo(sums(source, " \\*   -+    -+\n \\* +(\\d+) +(\\d+)\n"));
        assertThat(counted("straight")).isEqualTo(sums(source, "\n \\*   straight +(\\d+) +(\\d+)\n"));
    }

    private static List<Integer> counted(final String program) throws IOException {
        final JsonNode counted = new ObjectMapper().readTree(programs().countOperations(program));
        return List.of(counted.path("make").asInt(), counted.path("restore").asInt());
    }

    private static List<Integer> sums(final String source, final String line) {
        final Matcher sums = Pattern.compile(line).matcher(source);
        assertThat(sums.find()).as(line).isTrue();
        return List.of(Integer.valueOf(sums.group(1)), Integer.valueOf(sums.group(2)));
    }

    @Test
    void shouldKillWhatDoesNotEnd() {
        assertThatThrownBy(() -> NativePrograms.execute(List.of("sleep", "60"), 0))
                .isInstanceOf(IOException.class)
                .hasMessage("sleep did not end within 0 s");
    }

    private static String source(final String name) throws IOException {
        try (InputStream in = NativePrograms.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
