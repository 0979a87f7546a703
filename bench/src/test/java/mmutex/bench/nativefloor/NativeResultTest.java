package mmutex.bench.nativefloor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NativeResultTest {
    private static final String ROW =
            "{\"name\":\"make\",\"unit\":\"ns\",\"count\":3,\"mean\":2.5,\"median\":2,\"p99\":4,\"max\":5}";

    @Test
    void shouldReadRowsByName() {
        final NativeResult result = NativeResult.parse("{\"program\":\"p\",\"clockNs\":20.5,\"rows\":[" + ROW
                + ",{\"name\":\"other\",\"unavailable\":\"not here\"}],\"notes\":[\"a note\"]}\n");

        assertThat(result.program()).isEqualTo("p");
        assertThat(result.clockNs()).isEqualTo(20.5);
        assertThat(result.notes()).containsExactly("a note");
        assertThat(result.rows()).containsOnlyKeys("make", "other");
        assertThat(result.row("make")).isEqualTo(new NativeRow("make", 3, 2.5, 2, 4, 5, null));
        assertThat(result.row("other").isAvailable()).isFalse();
        assertThat(result.row("other").unavailable()).isEqualTo("not here");
    }

    @Test
    void shouldSayWhyARowIsMissing() {
        final NativeResult result = NativeResult.parse("{\"program\":\"p\",\"clockNs\":1,\"rows\":[]}");

        assertThat(result.row("make").unavailable()).isEqualTo("p printed no such row");
        assertThat(NativeResult.failed("p", "it crashed").row("make").unavailable())
                .isEqualTo("it crashed");
    }

    @Test
    void shouldRefuseWhatNoProgramPrints() {
        for (final String wrong : List.of(
                "",
                "{",
                "[]",
                "{\"program\":\"p\",\"clockNs\":1}",
                "{\"program\":\"p\",\"rows\":[]}",
                "{\"program\":\"p\",\"clockNs\":1,\"rows\":[" + ROW + "," + ROW + "]}",
                "{\"program\":\"p\",\"clockNs\":1,\"rows\":[" + ROW.replace("\"ns\"", "\"us\"") + "]}",
                "{\"program\":\"p\",\"clockNs\":1,\"rows\":[" + ROW.replace("\"median\":2,", "") + "]}")) {
            assertThatThrownBy(() -> NativeResult.parse(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void shouldTakeTheMedianOfTheRepetitionsAndPassOverWhatFailed() {
        final Map<String, List<NativeResult>> results = Map.of(
                "protocol",
                List.of(
                        result("restore", 100, 400),
                        NativeResult.failed("protocol", "it crashed"),
                        result("restore", 90, 200),
                        result("restore", 300, 300)),
                OurPaths.NAME,
                List.of(result("restore", 200, 900), result("ring-restore", 7, 8)));

        final Comparison.Line line = Comparison.lines(results, null).get(0);

        assertThat(line.path()).isEqualTo("restore");
        assertThat(line.medianNs()).isEqualTo(100);
        assertThat(line.p99Ns()).isEqualTo(300);
        assertThat(line.oursMedianNs()).isEqualTo(200);
        assertThat(line.ratioToOurs()).isEqualTo(0.5);
        assertThat(line.unavailable()).isNull();
    }

    @Test
    void shouldScaleTheYardstickByTheLockedAdd() {
        final NativeResult protocol = result("locked-add", 10.6, 20);

        final Comparison.Line line = Comparison.lines(Map.of("protocol", List.of(protocol)), null).stream()
                .filter(candidate -> candidate.path().equals("restore-yardstick"))
                .findFirst()
                .orElseThrow();

        assertThat(line.medianNs()).isCloseTo(180, within(1e-9));
        assertThat(Yardstick.ns(Yardstick.PAIR, protocol)).isCloseTo(372, within(1e-9));
    }

    @Test
    void shouldSayWhyALineHasNoFigures() {
        final Map<String, List<NativeResult>> results =
                Map.of("protocol", List.of(NativeResult.failed("protocol", "it crashed")));

        assertThat(Comparison.lines(results, null).get(0).unavailable()).isEqualTo("it crashed");
        assertThat(Comparison.lines(Map.of(), "no compiler"))
                .allSatisfy(line -> assertThat(line.unavailable()).isEqualTo("no compiler"));
    }

    private static NativeResult result(final String name, final double median, final double p99) {
        final NativeRow row = new NativeRow(name, 1, median, median, p99, p99, null);
        return new NativeResult("p", 0, Map.of(name, row), List.of(), null);
    }
}
