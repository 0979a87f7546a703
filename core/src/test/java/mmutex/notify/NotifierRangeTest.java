package mmutex.notify;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NotifierRangeTest {
    private final NotifierRange range = new NotifierRange();

    @Test
    void shouldCarryWhatItWasGiven() {
        range.init(NotifierEvent.EXCLUSIVE, 0x1000, 0x2000, 7);

        assertThat(range.event()).isEqualTo(NotifierEvent.EXCLUSIVE);
        assertThat(range.start()).isEqualTo(0x1000);
        assertThat(range.end()).isEqualTo(0x2000);
        assertThat(range.owner()).isEqualTo(7);
        assertThat(range.isBlockable()).isTrue();
    }

    /** B28: a reused range keeps its stale owner, so that a filter that looks at the owner alone is caught. */
    @Test
    void shouldKeepAStaleOwner() {
        range.init(NotifierEvent.EXCLUSIVE, 0x1000, 0x2000, 7);
        range.init(NotifierEvent.UNMAP, 0, 0x9000);

        assertThat(range.owner()).isEqualTo(7);
        assertThat(range.event()).isEqualTo(NotifierEvent.UNMAP);
    }

    @Test
    void shouldBeBlockableAgainWhenReused() {
        range.init(NotifierEvent.UNMAP, 0, 1).nonBlockable();
        assertThat(range.isBlockable()).isFalse();

        range.init(NotifierEvent.UNMAP, 0, 1);
        assertThat(range.isBlockable()).isTrue();
    }

    @Test
    void shouldDescribeItself() {
        range.init(NotifierEvent.CLEAR, 0x1000, 0x2000, 3).nonBlockable();

        assertThat(range).hasToString("CLEAR [0x1000, 0x2000) owner=3 non-blockable");
    }
}
