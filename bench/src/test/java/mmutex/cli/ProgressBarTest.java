package mmutex.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    private static final String ERASE = "\r\u001b[K";

    private final ByteArrayOutputStream terminal = new ByteArrayOutputStream();

    @Test
    void shouldShowNothingWithoutATerminal() {
        try (ProgressBar bar = bar(0)) {
            bar.update(0.5, "half");
        }

        assertThat(written()).isEmpty();
    }

    @Test
    void shouldRedrawInPlaceAndKeepTheFinishedLine() {
        try (ProgressBar bar = bar(100)) {
            bar.update(0, "0.0 s");
            bar.update(0.5, "2.5 s");
            bar.update(1, "5.0 s · 1 843 201 restores");
        }

        assertThat(written())
                .isEqualTo(ERASE + " " + "░".repeat(42) + " 0.0 s" + ERASE + " " + "█".repeat(21) + "░".repeat(21)
                        + " 2.5 s" + ERASE + " " + "█".repeat(42) + " 5.0 s · 1 843 201 restores"
                        + System.lineSeparator());
    }

    @Test
    void shouldEraseAnUnfinishedLine() {
        try (ProgressBar bar = bar(100)) {
            bar.update(0.3, "1.5 s");
        }

        assertThat(written()).endsWith(" 1.5 s" + ERASE);
    }

    @Test
    void shouldWriteAnUnchangedLineOnce() {
        try (ProgressBar bar = bar(100)) {
            bar.update(0.3, "same");
            bar.update(0.3, "same");
        }

        assertThat(written()).containsOnlyOnce("same");
    }

    @Test
    void shouldLeaveTheLastColumnFree() {
        final ProgressBar bar = bar(60);

        bar.update(0.5, "a suffix that is too long for the terminal");

        assertThat(written().substring(ERASE.length())).hasSize(59);
        bar.close();
    }

    @Test
    void shouldTakeFractionsOutsideAsTheNearerEnd() {
        try (ProgressBar bar = bar(100)) {
            bar.update(-1, "before");
            bar.update(1.7, "after");
        }

        assertThat(written()).contains("░".repeat(42) + " before").contains("█".repeat(42) + " after");
    }

    private ProgressBar bar(final int columns) {
        return new ProgressBar(new PrintStream(terminal, true, StandardCharsets.UTF_8), columns);
    }

    private String written() {
        return terminal.toString(StandardCharsets.UTF_8);
    }
}
