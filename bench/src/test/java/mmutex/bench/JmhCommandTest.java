package mmutex.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import mmutex.cli.CommandRunner;
import mmutex.cli.ExitCode;
import mmutex.cli.ForkFlags;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.options.Options;

class JmhCommandTest {
    @Test
    void shouldPrependTheForkFlagsToTheUsersOwn() {
        final Options options =
                JmhCommand.withForkFlags(JmhCommand.parse(List.of("-jvmArgsPrepend", "-Xmx1g", "Restore")), 17);

        assertThat(options.getJvmArgsPrepend().get())
                .containsAll(ForkFlags.forThisJdk())
                .endsWith("-Dmmutex.seed=17", "-Xmx1g");
        assertThat(options.getIncludes()).containsExactly("Restore");
    }

    @Test
    void shouldLeaveAppendedFlagsToTheBenchmarksForkLine() {
        final Options options = JmhCommand.withForkFlags(JmhCommand.parse(List.of()), 1);

        assertThat(options.getJvmArgsAppend().hasValue()).isFalse();
    }

    @Test
    void shouldLeaveNativeToItsOwnOptions() {
        assertThat(CommandRunner.run(Main.commands(), "bench", "--native", "-wi", "1"))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void shouldRejectWhatJmhDoesNotKnow() {
        assertThatThrownBy(() -> JmhCommand.parse(List.of("-zz"))).isInstanceOf(UsageProblem.class);
    }
}
