package mmutex.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TlbTest {
    private static final long GENERATION = 5;

    private final Tlb tlb = new Tlb();

    @Test
    void shouldKnowNothingAtFirst() {
        for (long vpn = 0; vpn < 600; vpn++) {
            assertThat(tlb.lookup(vpn, 1, false)).isEqualTo(-1);
        }
    }

    @Test
    void shouldFindWhatItWasFilledWith() {
        tlb.fill(0x12345, GENERATION, 77, true);

        assertThat(tlb.lookup(0x12345, GENERATION, false)).isEqualTo(77);
        assertThat(tlb.lookup(0x12345, GENERATION, true)).isEqualTo(77);
    }

    @Test
    void shouldNotPermitWritesUnlessFilledSo() {
        tlb.fill(1, GENERATION, 77, false);

        assertThat(tlb.lookup(1, GENERATION, false)).isEqualTo(77);
        assertThat(tlb.lookup(1, GENERATION, true)).isEqualTo(-1);
    }

    @Test
    void shouldForgetWhenTheGenerationMoves() {
        tlb.fill(1, GENERATION, 77, true);

        assertThat(tlb.lookup(1, GENERATION + 1, false)).isEqualTo(-1);
    }

    @Test
    void shouldNotTakeOnePageForAnotherThatCollides() {
        tlb.fill(3, GENERATION, 77, true);
        assertThat(tlb.lookup(3 + 256, GENERATION, false)).isEqualTo(-1);

        tlb.fill(3 + 256, GENERATION, 78, true);
        assertThat(tlb.lookup(3, GENERATION, false)).isEqualTo(-1);
        assertThat(tlb.lookup(3 + 256, GENERATION, false)).isEqualTo(78);
    }

    @Test
    void shouldForgetEverythingWhenCleared() {
        tlb.fill(1, GENERATION, 77, true);
        tlb.clear();

        assertThat(tlb.lookup(1, GENERATION, false)).isEqualTo(-1);
    }
}
