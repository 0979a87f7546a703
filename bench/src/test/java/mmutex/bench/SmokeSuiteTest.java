package mmutex.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.options.Options;

class SmokeSuiteTest {
    private static final double SECONDS_MAX = 90;
    private static final double FORK_SECONDS = 1;

    @BeforeEach
    void needsTheListOfBenchmarks() {
        assumeTrue(
                SmokeSuite.class.getResource("/META-INF/BenchmarkList") != null,
                "compiled without annotation processor");
    }

    @Test
    void shouldNameBenchmarksThatExist() {
        final List<Options> plan = SmokeSuite.plan();

        assertThat(plan).isNotEmpty();
        assertThat(plan).allSatisfy(options -> {
            assertThat(options.getIncludes()).hasSize(1);
            assertThat(options.shouldFailOnError().get()).isTrue();
        });
        assertThat(plan.stream().map(options -> options.getIncludes().get(0))).doesNotHaveDuplicates();
    }

    @Test
    void shouldTakeFarLessThanThreeMinutes() {
        double seconds = 0;
        for (final Options options : SmokeSuite.plan()) {
            final int subscribers = options.getParameter("subscriber").hasValue()
                    ? options.getParameter("subscriber").get().size()
                    : 1;
            final double ofFork = FORK_SECONDS
                    + options.getWarmupIterations().get()
                            * options.getWarmupTime().get().convertTo(TimeUnit.MILLISECONDS)
                            / 1e3
                    + options.getMeasurementIterations().get()
                            * options.getMeasurementTime().get().convertTo(TimeUnit.MILLISECONDS)
                            / 1e3;
            seconds += subscribers * options.getForkCount().get() * ofFork;
        }

        assertThat(seconds).isLessThan(SECONDS_MAX);
    }
}
