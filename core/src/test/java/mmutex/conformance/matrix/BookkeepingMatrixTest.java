package mmutex.conformance.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.stream.Stream;
import mmutex.mm.SemanticProfile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bookkeeping matrix: what each operation does to a frame's counts, to the address space's, and to the bits of entry and
 * frame, in every profile. A row says what changes; all that it does not mention must stay as it was.
 */
class BookkeepingMatrixTest {
    static Stream<Arguments> rowsAndProfiles() {
        return Rows.all().stream()
                .flatMap(row -> SemanticProfile.ALL.stream().map(profile -> Arguments.of(row, profile)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("rowsAndProfiles")
    void shouldKeepTheBooks(final Row row, final SemanticProfile profile) {
        assumeTrue(row.existsIn(profile), row.whyNotIn(profile));
        final Bench bench = new Bench(profile);
        row.prepare().accept(bench);
        bench.follow();
        final State expected = bench.state();
        row.changes().accept(bench, expected);

        row.operate().accept(bench);

        assertThat(bench.outcome()).hasToString(expected.toString());
        bench.end();
    }

    /** No line without a row, no profile without a reason. */
    @ParameterizedTest
    @EnumSource(Line.class)
    void shouldHaveEveryLineInEveryProfileThatHasIt(final Line line) {
        final List<Row> rows =
                Rows.all().stream().filter(row -> row.line() == line).toList();
        for (final SemanticProfile profile : SemanticProfile.ALL) {
            assertThat(rows.stream().anyMatch(row -> row.existsIn(profile)))
                    .as("%s in %s", line, profile)
                    .isEqualTo(line.existsIn(profile));
            assertThat(rows)
                    .allMatch(row ->
                            row.existsIn(profile) || !row.whyNotIn(profile).isBlank());
        }
    }
}
