package mmutex.stress.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import mmutex.cli.ForkFlags;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Test;

class LitmusOptionsTest {
    @Test
    void shouldPrependTheForkFlagsToTheUsersOwn() throws IOException {
        final LitmusOptions options = LitmusOptions.parse(List.of("-jvmArgsPrepend", "-Xmx64m"));

        assertThat(options.getJvmArgsPrepend())
                .containsAll(ForkFlags.forThisJdk())
                .endsWith("-Xmx64m");
    }

    @Test
    void shouldKeepTheRawResultsBesideTheReports() throws IOException {
        assertThat(LitmusOptions.parse(List.of("-r", "reports")).getResultFile())
                .startsWith("reports/jcstress-results-");
    }

    @Test
    void shouldTurnJcstressComplaintIntoAUsageProblem() {
        assertThatThrownBy(() -> LitmusOptions.parse(List.of("-m", "silly")))
                .isInstanceOf(UsageProblem.class)
                .hasMessage("Unknown test mode: silly");
        assertThatThrownBy(() -> LitmusOptions.parse(List.of("--nonsense"))).isInstanceOf(UsageProblem.class);
    }
}
