package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AccessTest {
    @Test
    void shouldWriteUnlessItReads() {
        assertThat(Access.READ.writes()).isFalse();
        assertThat(Access.WRITE.writes()).isTrue();
        assertThat(Access.ATOMIC.writes()).isTrue();
    }
}
