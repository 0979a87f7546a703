package mmutex.bench.targets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.bench.nativefloor.NativeResult;
import mmutex.bench.nativefloor.NativeRow;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetsTest {
    private static final List<String> NAMES = List.of(
            "restore-vs-c",
            "make-vs-c",
            "pair-vs-c",
            "restore-vs-c-bare",
            "restore-512-per-page",
            "access-hit",
            "ring-vs-c-pair",
            "vs-chm-1t",
            "vs-chm-2t",
            "vs-chm-256k",
            "vs-stampedlock-1t",
            "vs-userfaultfd",
            "vs-sigsegv",
            "alloc-bytes",
            "seam-off");

    private final Map<String, NativeResult> results = new LinkedHashMap<>();
    private final Repetition repetition = new Repetition(results);

    private static Target target(final String name) {
        return Target.ALL.stream()
                .filter(target -> target.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** What a step has printed: names and medians. */
    private void measured(final String step, final Object... namesAndMedians) {
        final Map<String, NativeRow> rows = new LinkedHashMap<>();
        for (int i = 0; i < namesAndMedians.length; i += 2) {
            final String name = (String) namesAndMedians[i];
            final double median = ((Number) namesAndMedians[i + 1]).doubleValue();
            rows.put(name, new NativeRow(name, 1, median, median, median, median, null));
        }
        results.put(step, new NativeResult(step, 0, rows, List.of(), null));
    }

    private TargetResult result(final String name) {
        return TargetResult.of(target(name), List.of(repetition), null);
    }

    @Test
    void shouldHaveTheRowsThatOthersLookFor() {
        assertThat(Target.ALL).extracting(Target::name).containsExactlyElementsOf(NAMES);
    }

    /** The yardstick is 90 ns where a locked add takes 5.3. */
    @ParameterizedTest
    @CsvSource({"112, 200, true, 1.244", "113, 200, false, 1.256", "113, 95, false, 1.256", "100, 80, true, 1.25"})
    void shouldCompareWithTheBetterBaseline(
            final double ours, final double straight, final boolean met, final double ratio) {
        measured("ours", "restore", ours);
        measured("straight", "restore", straight);
        measured("protocol", "locked-add", 5.3);
        assertThat(result("restore-vs-c").met()).isEqualTo(met);
        assertThat(result("restore-vs-c").ratio()).isCloseTo(ratio, org.assertj.core.data.Offset.offset(0.001));
    }

    @ParameterizedTest
    @CsvSource({"11.9, 5, true", "12.1, 5, false", "11.9, 4, false"})
    void shouldLimitAnAccessTwice(final double hit, final double fenced, final boolean met) {
        measured("ours", "access-hit", hit, "fenced-store", fenced);
        assertThat(result("access-hit").met()).isEqualTo(met);
    }

    @Test
    void shouldTakeTheCellInWhichARivalIsBest() {
        measured(Repetition.rivals("MMUTEX", 1, 256), "access", 10, "pair", 300);
        measured(Repetition.rivals("CHM", 1, 256), "access", 40, "pair", 150);
        assertThat(result("vs-chm-1t").ratio()).isEqualTo(0.5);
        assertThat(result("vs-chm-1t").met()).isFalse();
        measured(Repetition.rivals("CHM", 1, 256), "access", 11, "pair", 900);
        assertThat(result("vs-chm-1t").ratio()).isEqualTo(1.1);
        assertThat(result("vs-chm-1t").met()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"0, true", "0.004, true", "0.5, false"})
    void shouldCountBytes(final double bytes, final boolean met) {
        measured("ours", "alloc", bytes);
        assertThat(result("alloc-bytes").met()).isEqualTo(met);
    }

    @ParameterizedTest
    @CsvSource({"10.1, true", "9.9, true", "10.5, false"})
    void shouldTakeASmallDifferenceForNoise(final double with, final boolean met) {
        measured("ours", "seam-without", 10, "seam-with", with);
        assertThat(result("seam-off").met()).isEqualTo(met);
    }

    @Test
    void shouldSayWhyThereIsNoFigure() {
        measured("ours", "restore", 100);
        final TargetResult missing =
                TargetResult.of(target("vs-userfaultfd"), List.of(repetition), "no C compiler found");
        assertThat(missing.met()).isNull();
        assertThat(missing.toJson())
                .containsEntry("reason", "no C compiler found")
                .containsEntry("baselineNs", null);
        assertThat(result("ring-vs-c-pair").reason()).isEqualTo("ours needs two cores here");
        assertThat(TargetResult.table(List.of(missing))).contains("no C compiler found");
    }

    @Test
    void shouldReportWithoutAVerdictWhereThereIsNoTarget() {
        measured("ours", "restore", 100);
        measured("protocol", "restore-bare", 10);
        assertThat(result("restore-vs-c-bare").ratio()).isEqualTo(10);
        assertThat(result("restore-vs-c-bare").met()).isNull();
        assertThat(result("restore-vs-c-bare").toJson()).containsEntry("target", null);
    }

    @Test
    void shouldTakeMediansOverTheRepetitions() {
        final List<Repetition> three = List.of(with(100), with(130), with(400));
        final TargetResult result = TargetResult.of(target("seam-off"), three, null);
        assertThat(result.ours()).isEqualTo(130);
        assertThat(result.ratio()).isEqualTo(1.3);
        assertThat(result.low()).isEqualTo(1.0);
        assertThat(result.high()).isEqualTo(4.0);
    }

    private Repetition with(final double ns) {
        return new Repetition(Map.of(
                "ours",
                new NativeResult(
                        "ours",
                        0,
                        Map.of(
                                "seam-with",
                                new NativeRow("seam-with", 1, ns, ns, ns, ns, null),
                                "seam-without",
                                new NativeRow("seam-without", 1, 100, 100, 100, 100, null)),
                        List.of(),
                        null)));
    }

    @ParameterizedTest
    @CsvSource({"--seconds, 0", "--repetitions, 0", "--repetitions, many", "--nonsense, 1"})
    void shouldRefuseBadOptions(final String option, final String value) {
        assertThatThrownBy(() -> TargetsCommand.run(List.of("--targets", option, value)))
                .isInstanceOf(UsageProblem.class);
    }

    /** What is measured is what happens: every page is restored, by a fault, in its turn. */
    @Test
    void shouldRestoreEveryPageByAFault() {
        final OneSubscriber pages = new OneSubscriber(8);
        final long before = pages.faults();
        pages.make();
        pages.restore();
        pages.makeAtOnce();
        pages.restore();
        pages.pair();
        assertThat(pages.faults() - before).isEqualTo(3 * 8);
        pages.load(2);
        assertThat(pages.faults() - before).isEqualTo(3 * 8);
    }

    @Test
    void shouldPrintOurRows() throws Exception {
        assertThat(names(printed(() -> OurTargets.main(new String[] {"0.05"}))))
                .contains("restore", "make", "pair", "restore-512", "access-hit", "alloc", "seam-with");
        assertThat(names(printed(() -> Rivals.main(new String[] {"CHM", "256", "2", "0.05"}))))
                .containsExactly("access", "pair");
    }

    /** All of it: about 20 s. */
    @Test
    @Tag("slow")
    void shouldMeasureEverything() throws Exception {
        final JsonNode json = new ObjectMapper()
                .readTree(printed(() ->
                        TargetsCommand.run(List.of("--targets", "--json", "--seconds", "0.1", "--repetitions", "1"))));
        assertThat(json.path("environment").path("jdk").isTextual()).isTrue();
        assertThat(json.path("rows"))
                .extracting(row -> row.path("name").asText())
                .containsExactlyElementsOf(NAMES);
        json.path("rows")
                .forEach(row -> assertThat(row.path("oursNs").isNumber()
                                || row.path("reason").isTextual())
                        .as(row.toString())
                        .isTrue());
    }

    private interface Printing {
        void run() throws Exception;
    }

    private static String printed(final Printing what) throws Exception {
        final PrintStream before = System.out;
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            what.run();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static List<String> names(final String json) throws Exception {
        return new ObjectMapper().readTree(json).path("rows").findValuesAsText("name");
    }
}
