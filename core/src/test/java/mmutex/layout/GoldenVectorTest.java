package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import mmutex.layout.golden.GoldenChecker;
import mmutex.layout.golden.GoldenConstants;
import mmutex.layout.golden.GoldenReport;
import mmutex.layout.golden.GoldenVectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every cell of the golden files against the encoding of the same name. */
class GoldenVectorTest {
    @ParameterizedTest
    @CsvSource({
        "x86-64-6.12, 1382, 26847",
        "x86-64-l5-6.12, 1399, 27109",
        "x86-64-7.3, 1370, 25438",
        "x86-64-l5-7.3, 1378, 25672",
    })
    void shouldComputeEveryRow(final String name, final int rows, final int checks) throws IOException {
        final GoldenReport report = new GoldenChecker(Encodings.byName(name)).check(read(name, ".csv"));

        assertThat(report.mismatches()).isEmpty();
        assertThat(report.rows()).isEqualTo(rows);
        assertThat(report.checks()).isEqualTo(checks);
    }

    @ParameterizedTest
    @CsvSource({
        "x86-64-6.12, 74, 52",
        "x86-64-l5-6.12, 74, 52",
        "x86-64-7.3, 72, 50",
        "x86-64-l5-7.3, 72, 50",
    })
    void shouldHaveEveryConstant(final String name, final int rows, final int checks) throws IOException {
        final GoldenReport report = new GoldenConstants(Encodings.byName(name)).check(read(name, ".meta.csv"));

        assertThat(report.mismatches()).isEmpty();
        assertThat(report.rows()).isEqualTo(rows);
        assertThat(report.checks()).isEqualTo(checks);
        assertThat(report.notApplicable())
                .filteredOn(constant -> !constant.startsWith("l1tf_"))
                .containsExactlyInAnyOrder(
                        "CONFIG_MEM_SOFT_DIRTY",
                        "CONFIG_HAVE_ARCH_USERFAULTFD_WP",
                        "in_memory_byte_swapped",
                        "mask:pte_mkhuge");
    }

    @Test
    void shouldFindTheOtherDepthWrong() throws IOException {
        final GoldenChecker checker = new GoldenChecker(Encodings.byName("x86-64-l5-6.12"));

        final GoldenReport report = checker.check(read("x86-64-6.12", ".csv"));

        // Four and five levels differ in two migration bits and the width of a frame number, nowhere else.
        assertThat(report.mismatches())
                .extracting(mismatch -> mismatch.column())
                .contains("swp_offset_pfn", "is_migration_entry_young", "is_migration_entry_dirty")
                .doesNotContain("kind", "pte_pfn", "swp_entry");
    }

    static GoldenVectors read(final String name, final String extension) throws IOException {
        final String file = Encodings.goldenValues(name).orElseThrow() + extension;
        try (InputStream stream = GoldenVectorTest.class.getResourceAsStream("/vectors/pte/" + file + ".gz")) {
            assertThat(stream).as(file).isNotNull();
            final Reader reader = new InputStreamReader(new GZIPInputStream(stream), StandardCharsets.US_ASCII);
            return GoldenVectors.read(file, reader);
        }
    }
}
