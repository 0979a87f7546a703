package mmutex.stress.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import mmutex.cli.ForkFlags;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Test;

class LitmusOptionsTest {
    @Test
    void shouldPrependTheForkFlagsToTheUsersOwn() throws IOException {
        final LitmusOptions options = LitmusOptions.parse(List.of("-jvmArgsPrepend", "-Xmx64m"), false);

        assertThat(options.getJvmArgsPrepend())
                .containsAll(ForkFlags.forThisJdk())
                .endsWith("-Xmx64m");
    }

    @Test
    void shouldKeepTheRawResultsBesideTheReports() throws IOException {
        assertThat(LitmusOptions.parse(List.of("-r", "reports"), false).getResultFile())
                .startsWith("reports/jcstress-results-");
    }

    @Test
    void shouldTurnJcstressComplaintIntoAUsageProblem() {
        assertThatThrownBy(() -> LitmusOptions.parse(List.of("-m", "silly"), false))
                .isInstanceOf(UsageProblem.class)
                .hasMessage("Unknown test mode: silly");
        assertThatThrownBy(() -> LitmusOptions.parse(List.of("--nonsense"), false))
                .isInstanceOf(UsageProblem.class);
    }

    @Test
    void shouldSelectEitherTheTestsOrTheirWrongCopies() throws IOException {
        final Pattern tests = Pattern.compile(
                LitmusOptions.parse(List.of("-t", "Ring"), false).getTestFilter());
        final Pattern copies =
                Pattern.compile(LitmusOptions.parse(List.of("-t", "Ring"), true).getTestFilter());

        assertThat(tests.matcher("mmutex.stress.litmus.tests.RingStress.TwoProducers")
                        .find())
                .isTrue();
        assertThat(tests.matcher("mmutex.stress.litmus.broken.WrongRing.TwoServers")
                        .find())
                .isFalse();
        assertThat(copies.matcher("mmutex.stress.litmus.broken.WrongRing.TwoServers")
                        .find())
                .isTrue();
        assertThat(copies.matcher("mmutex.stress.litmus.broken.WrongLock.LookThenTake")
                        .find())
                .isFalse();
    }

    @Test
    void shouldTurnABadFilterIntoAUsageProblem() {
        assertThatThrownBy(() -> LitmusOptions.parse(List.of("-t", "Ring("), false))
                .isInstanceOf(UsageProblem.class)
                .hasMessageStartingWith("-t Ring( is no regular expression");
    }
}
