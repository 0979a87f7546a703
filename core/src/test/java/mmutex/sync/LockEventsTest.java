package mmutex.sync;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LockEventsTest {
    @Test
    void shouldRefuseAnObserverWhileTheSeamIsOff() {
        assertThatThrownBy(() -> LockEvents.install(null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("lock events are off: start the VM with -Dmmutex.schedule=true");
    }
}
