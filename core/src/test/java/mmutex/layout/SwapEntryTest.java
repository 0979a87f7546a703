package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SwapEntryTest {
    @Test
    void shouldSplitWhatItJoined() {
        final long entry = SwapEntry.of(29, 0x12345);

        assertThat(entry).isEqualTo(0x7400_0000_0001_2345L);
        assertThat(SwapEntry.type(entry)).isEqualTo(29);
        assertThat(SwapEntry.offset(entry)).isEqualTo(0x12345);
    }

    @Test
    void shouldCutTheOffsetTo58Bits() {
        final long entry = SwapEntry.of(1, -1);

        assertThat(SwapEntry.type(entry)).isEqualTo(1);
        assertThat(SwapEntry.offset(entry)).isEqualTo((1L << 58) - 1);
    }

    @Test
    void shouldKeepTypesAboveThoseOfLinux() {
        assertThat(SwapEntry.type(SwapEntry.of(46, 7))).isEqualTo(46);
    }
}
