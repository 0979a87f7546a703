package mmutex.layout.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import mmutex.layout.Encodings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The checker itself: it must see what is wrong and refuse what it does not know. */
class GoldenCheckerTest {
    private static final String HEADER = "id,op,in_raw,in_type,in_value,in_prot,in_flags,raw,kind,pte_young\n";

    @Test
    void shouldNameFileRowColumnAndBothValues() throws IOException {
        final GoldenReport report = check(HEADER + "17,pte_mkyoung,0x5,,,,,0x26,present,0\n");

        assertThat(report.checks()).isEqualTo(3);
        assertThat(report.mismatches())
                .extracting(GoldenMismatch::toString)
                .containsExactly(
                        "some.csv row 17 raw: expected=0x26, actual=0x25",
                        "some.csv row 17 kind: expected=present, actual=swap",
                        "some.csv row 17 pte_young: expected=0, actual=1");
    }

    @Test
    void shouldCountOnlyCellsThatAreThere() throws IOException {
        final GoldenReport report = check(HEADER + "1,decode,0x27,,,,,0x27,present,\n");

        assertThat(report.rows()).isEqualTo(1);
        assertThat(report.checks()).isEqualTo(2);
        assertThat(report.mismatches()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1,pte_mkpurple,0x27,,,,,0x27,present,1", // operation
                "1,pte_modify:rwx,0x27,,,,,0x27,present,1", // protection in an operation
                "1,pfn_pte,,,0x1,rw,,0x27,present,1", // protection
                "1,pfn_pte,,,0x1,rw-p,young,0x27,present,1", // flag that the operation does not take
                "1,decode,0x27,,,,purple,0x27,present,1", // flag
                "1,decode,0x2g,,,,,0x27,present,1", // number
                "1,decode,,,,,,0x27,present,1", // input that is missing
                "1,decode,0x27,,,,,0x27,present", // too few cells
            })
    void shouldRefuseWhatItDoesNotKnow(final String row) {
        assertThatThrownBy(() -> check(HEADER + row + "\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("file=some.csv");
    }

    @Test
    void shouldRefuseAnUnknownColumn() {
        assertThatThrownBy(() -> check("id,op,in_flags,in_raw,raw,pte_purple\n3,decode,,0x0,0x0,1\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown column: file=some.csv, row=3, column=pte_purple, text=1");
    }

    @Test
    void shouldRefuseAnUnknownConstant() throws IOException {
        final GoldenVectors constants = vectors("arch,name,hex,dec\nx86_64-l4,SWP_PURPLE,0x1,1\n");
        final GoldenConstants checker = new GoldenConstants(Encodings.byName("x86-64-6.12"));

        assertThatThrownBy(() -> checker.check(constants))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unknown constant: file=some.csv, row=SWP_PURPLE");
    }

    private static GoldenReport check(final String text) throws IOException {
        return new GoldenChecker(Encodings.byName("x86-64-6.12")).check(vectors(text));
    }

    private static GoldenVectors vectors(final String text) throws IOException {
        return GoldenVectors.read("some.csv", new StringReader(text));
    }
}
