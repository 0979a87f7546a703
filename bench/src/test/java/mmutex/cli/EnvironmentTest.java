package mmutex.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class EnvironmentTest {
    @Test
    void shouldDescribeThisVm() {
        final Environment here = Environment.current();

        assertThat(here.machine()).isNotBlank();
        assertThat(here.cores()).isPositive();
        assertThat(here.memoryMib()).isPositive();
        assertThat(here.os()).contains(System.getProperty("os.arch"));
        assertThat(here.jdk()).startsWith(System.getProperty("java.version"));
        assertThat(here.jvmFlags()).contains("--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");
        assertThat(here.version()).matches("\\d+\\.\\d+\\.\\d+.*");
        assertThat(here.commit()).matches("unknown|[0-9a-f]{10,}(-dirty)?");
    }

    @Test
    void shouldKeepTheOrderOfItsPartsInJson() {
        final Environment environment = new Environment(
                "EPYC", 2, 7950, "Linux 6.12 amd64", "17.0.15", List.of("-Xmx1g"), "0123456789ab", "0.1.0");

        assertThat(environment.toJson())
                .hasToString(
                        "{machine=EPYC, cores=2, memoryMiB=7950, os=Linux 6.12 amd64, jdk=17.0.15, jvmFlags=[-Xmx1g],"
                                + " commit=0123456789ab, version=0.1.0}");
    }
}
