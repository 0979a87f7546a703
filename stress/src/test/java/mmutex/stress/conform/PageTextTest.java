package mmutex.stress.conform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageTextTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "D",
                "P",
                "PXD#1m1",
                "SD:exw#12m0",
                "SUD:exr#1m0",
                "PFXD#3m1",
                "PD#Z",
                "P#Z",
                "PUXD#2m1",
                "S:dpw#7",
                "SD:swapfile",
                "SD:exc#1m1"
            })
    void shouldGiveBackTheTextItParsed(final String text) throws BadRecording {
        assertThat(PageText.parse("pm.A.0", text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"X P", "DP", "PP", "P#", "P#-1m1", "P#1m", "S:exx#1m0", "PD#Zm1", "#1:exw", "P#1m1 "})
    void shouldRejectOtherTexts(final String text) {
        assertThatThrownBy(() -> PageText.parse("pm.A.0", text)).hasMessageContaining("pm.A.0");
    }
}
