package mmutex.stress.conform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlaceTest {
    @Test
    void shouldKnowAllFormsOfAddresses() throws BadRecording {
        assertThat(Place.parse("at", "A").address()).isEqualTo(0x1000_0000_0000L);
        assertThat(Place.parse("at", "A+0").address()).isEqualTo(0x1000_0000_0000L);
        assertThat(Place.parse("at", "B+3").address()).isEqualTo(0x1100_0000_3000L);
        assertThat(Place.parse("at", "A+0.5").address()).isEqualTo(0x1000_0000_0800L);
        assertThat(Place.parse("at", "null").address()).isZero();
        assertThat(Place.parse("at", "0xfffffffffffff000").address()).isEqualTo(-4096);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "C", "A+", "A+-1", "A+01", "A+0.25", "a+1", "0x", "4096", "NULL", "0x10000000000000000"})
    void shouldRejectOtherTexts(final String text) {
        assertThatThrownBy(() -> Place.parse("at", text)).hasMessageStartingWith("'at' must be an address");
    }
}
