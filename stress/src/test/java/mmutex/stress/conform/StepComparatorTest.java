package mmutex.stress.conform;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mmutex.mm.SemanticProfile;
import mmutex.stress.conform.Step.WatchedPage;
import org.junit.jupiter.api.Test;

class StepComparatorTest {
    private final StepComparator comparator = new StepComparator();

    @Test
    void shouldAcceptAnyOneToOneRenamingOfFrames() throws BadRecording {
        assertThat(pages("PXD#1m1 PXD#2m1", "PXD#70m1 PXD#30m1")).isNull();
        assertThat(pages("SD:exw#2m0 SD:exw#1m0", "SD:exw#30m0 SD:exw#70m0")).isNull();
    }

    @Test
    void shouldSeeThatAPageHasAnotherFrame() throws BadRecording {
        pages("PXD#1m1 PXD#2m1", "PXD#70m1 PXD#30m1");

        assertThat(pages("PXD#1m1 PXD#2m1", "PXD#70m1 PXD#40m1"))
                .isEqualTo(new Difference(5, "pm.A.1", "PXD#2m1", "PXD#?m1"));
        assertThat(pages("PXD#1m1 PXD#2m1", "PXD#30m1 PXD#70m1"))
                .isEqualTo(new Difference(5, "pm.A.0", "PXD#1m1", "PXD#2m1"));
    }

    @Test
    void shouldSeeThatAFrameIsTheOldOneWhereANewOneIsExpected() throws BadRecording {
        pages("PXD#1m1 PXD#2m1", "PXD#70m1 PXD#30m1");

        assertThat(pages("PXD#3m1 PXD#2m1", "PXD#70m1 PXD#30m1"))
                .isEqualTo(new Difference(5, "pm.A.0", "PXD#3m1", "PXD#1m1"));
    }

    @Test
    void shouldSeeThatTwoPagesShareAFrame() throws BadRecording {
        assertThat(pages("PXD#1m1 PXD#2m1", "PXD#70m1 PXD#70m1").field()).isEqualTo("pm.A.1");
        assertThat(pages("PXD#1m1 PXD#1m1", "PXD#70m1 PXD#30m1").field()).isEqualTo("pm.A.1");
    }

    @Test
    void shouldForgetFramesThatAStepDoesNotShow() throws BadRecording {
        final World world = new World(SemanticProfile.K612);
        pages("PXD#1m1 PXD#2m1", "PXD#70m1 PXD#30m1");
        comparator.forget(world, observation("D PXD#30m1"));

        assertThat(pages("PXD#3m1 PXD#2m1", "PXD#70m1 PXD#30m1")).isNull();
        assertThat(pages("PXD#4m1 PXD#3m1", "PXD#30m1 PXD#70m1").field()).isEqualTo("pm.A.0");
    }

    @Test
    void shouldCompareEveryPartOfAPage() throws BadRecording {
        for (final String other : List.of(
                "PD#1m1", "PXD#1m2", "PXD#1", "PXD", "PX#1m1", "PXD#Z", "PUXD#1m1", "PFXD#1m1", "", "SD:exw#1m1")) {
            assertThat(new StepComparator().compare(step(Map.of(), "PXD#1m1"), observation(other)))
                    .isNotNull();
        }
        assertThat(pages("SD:exw#1m0", "SD:exr#1m0")).isNotNull();
    }

    @Test
    void shouldCompareListsElementByElementAndByLength() throws BadRecording {
        final Map<String, Object> recorded = Map.of("data", List.of(1L, 2L));

        assertThat(fields(recorded, Map.of("data", List.of(1L, 2L)))).isNull();
        assertThat(fields(recorded, Map.of("data", List.of(1L, 3L)))).isEqualTo(new Difference(5, "data.1", 2L, 3L));
        assertThat(fields(recorded, Map.of("data", List.of(1L)))).isEqualTo(new Difference(5, "data.1", 2L, null));
        assertThat(fields(recorded, Map.of("data", List.of(1L, 2L, 3L))))
                .isEqualTo(new Difference(5, "data.2", null, 3L));
        assertThat(fields(recorded, Map.of())).isEqualTo(new Difference(5, "data.0", 1L, null));
    }

    @Test
    void shouldReportAMissingFieldAndIgnoreOneThatWasNotRecorded() throws BadRecording {
        assertThat(fields(Map.of("errno", "EBUSY"), Map.of("ret", 0L)))
                .isEqualTo(new Difference(5, "errno", "EBUSY", null));
        assertThat(fields(Map.of(), Map.of("errno", "EBUSY"))).isNull();
    }

    @Test
    void shouldKeepNamesOneToOne() {
        final FrameNames names = new FrameNames();

        assertThat(names.match(1, 70)).isTrue();
        assertThat(names.match(1, 71)).isFalse();
        assertThat(names.match(2, 70)).isFalse();
        assertThat(names.nameOf(70)).isEqualTo("1");
        assertThat(names.nameOf(71)).isEqualTo("?");
        names.retain(Set.of(71L));
        assertThat(names.match(2, 70)).isTrue();
    }

    private Difference pages(final String recorded, final String actual) throws BadRecording {
        return comparator.compare(step(Map.of(), recorded), observation(actual));
    }

    private Difference fields(final Map<String, Object> recorded, final Map<String, Object> actual)
            throws BadRecording {
        return comparator.compare(step(recorded, ""), new Observation(actual, List.of(PageText.parse("", ""))));
    }

    private static Step step(final Map<String, Object> results, final String pages) throws BadRecording {
        final List<WatchedPage> watched = new ArrayList<>();
        for (final PageText page : texts(pages)) {
            watched.add(new WatchedPage('A', watched.size(), page));
        }
        return new Step(5, false, "p", Operation.LOOK, Map.of(), results, watched);
    }

    private static Observation observation(final String pages) throws BadRecording {
        return new Observation(Map.of(), texts(pages));
    }

    private static List<PageText> texts(final String pages) throws BadRecording {
        final List<PageText> texts = new ArrayList<>();
        for (final String page : pages.split(" ")) {
            texts.add(PageText.parse("test", page));
        }
        return texts;
    }
}
