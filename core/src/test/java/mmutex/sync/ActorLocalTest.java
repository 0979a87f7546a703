package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ActorLocalTest {
    private static final AtomicInteger CREATED = new AtomicInteger();
    // Two for all tests: the slots of an actor are few.
    private static final ActorLocal<int[]> FIRST = new ActorLocal<>(() -> new int[CREATED.incrementAndGet()]);
    private static final ActorLocal<StringBuilder> SECOND = new ActorLocal<>(StringBuilder::new);

    private final Actor a = new Actor(1, "a");
    private final Actor b = new Actor(2, "b");

    @Test
    void shouldGiveEachActorOneObjectOfItsOwn() {
        final int before = CREATED.get();

        final int[] ofA = FIRST.of(a);
        final int[] ofB = FIRST.of(b);

        assertThat(ofA).isNotSameAs(ofB);
        assertThat(FIRST.of(a)).isSameAs(ofA);
        assertThat(FIRST.of(b)).isSameAs(ofB);
        assertThat(CREATED.get()).isEqualTo(before + 2);
    }

    @Test
    void shouldKeepLocalsApart() {
        SECOND.of(a).append("x");

        assertThat(FIRST.of(a)).isInstanceOf(int[].class);
        assertThat(SECOND.of(a)).hasToString("x");
        assertThat(SECOND.of(b)).hasToString("");
    }
}
