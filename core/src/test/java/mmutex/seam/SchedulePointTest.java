package mmutex.seam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** The seam as it is without {@code -Dmmutex.schedule=true}, which is how unit tests run. */
class SchedulePointTest {
    private static final Scheduler FAILING = new Scheduler() {
        @Override
        public void before(final Step step, final long subject) {
            throw new AssertionError("called though off: step=" + step);
        }

        @Override
        public void waiting(final long subject) {
            throw new AssertionError("called though off");
        }
    };

    @Test
    void shouldBeOffByDefault() {
        assertThat(SchedulePoint.ENABLED).isFalse();
    }

    @Test
    void shouldRefuseASchedulerWhileOff() {
        assertThatThrownBy(() -> SchedulePoint.install(FAILING))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("schedule points are off: start the VM with -Dmmutex.schedule=true");
        assertThatThrownBy(() -> SchedulePoint.install(null)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldDoNothingWhileOff() {
        for (final Step step : Step.values()) {
            SchedulePoint.before(step, 1);
        }
        SchedulePoint.waiting(1);
    }
}
