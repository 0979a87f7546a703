package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WatchdogTest {
    private static final long SECOND = 1_000_000_000;

    private final StopSignal stop = new StopSignal();
    private final StartingLine line = new StartingLine(1);
    private final CountDownLatch end = new CountDownLatch(1);
    private final ActorThread actor = new ActorThread("sleeper", stop, line) {
        @Override
        protected void prepare() {}

        @Override
        protected void work() {
            try {
                end.await();
            } catch (final InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    };

    @AfterEach
    void endActor() throws InterruptedException {
        end.countDown();
        actor.thread().join();
    }

    @Test
    void shouldFailAnActorThatCompletesNothing() throws InterruptedException {
        start();
        final Watchdog watchdog = new Watchdog(List.of(actor), 10, 0);

        watchdog.look(stop, 11 * SECOND);

        assertThatThrownBy(stop::throwIfFailed)
                .hasMessage("sleeper: java.lang.IllegalStateException: no operation completed within 10 s");
    }

    @Test
    void shouldBePatientWithAnActorThatGetsOn() throws InterruptedException {
        start();
        final Watchdog watchdog = new Watchdog(List.of(actor), 10, 0);

        for (int second = 1; second < 40; second++) {
            actor.progress().operations(second / 9);
            watchdog.look(stop, second * SECOND);
        }

        assertThatCode(stop::throwIfFailed).doesNotThrowAnyException();
    }

    @Test
    void shouldNotMindAnActorThatHasEnded() throws InterruptedException {
        start();
        endActor();
        final Watchdog watchdog = new Watchdog(List.of(actor), 10, 0);

        watchdog.look(stop, 100 * SECOND);

        assertThatCode(stop::throwIfFailed).doesNotThrowAnyException();
    }

    private void start() throws InterruptedException {
        actor.thread().start();
        line.start();
    }
}
