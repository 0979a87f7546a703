package mmutex.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ForkFlagsTest {
    private static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";

    @Test
    void shouldExportWhatAgronaNeeds() {
        assertThat(ForkFlags.forThisJdk()).contains("--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");
    }

    @Test
    void shouldAllowUnsafeOnlyWhereTheOptionIsKnown() {
        assertThat(ForkFlags.forJdk(17)).doesNotContain(UNSAFE);
        assertThat(ForkFlags.forJdk(25)).contains(UNSAFE);
    }
}
