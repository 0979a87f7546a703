package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FiguresTest {
    @Test
    void shouldGroupThousands() {
        assertThat(Figures.grouped(0)).isEqualTo("0");
        assertThat(Figures.grouped(1_843_201)).isEqualTo("1 843 201");
        assertThat(Figures.grouped(-1000)).isEqualTo("-1 000");
    }

    @Test
    void shouldShowLongTimesInSeconds() {
        assertThat(Figures.nanoseconds(99_999_999)).isEqualTo("99 999 999");
        assertThat(Figures.nanoseconds(1_250_000_000)).isEqualTo("1.25 s");
    }

    @Test
    void shouldShortenToThreeDigits() {
        assertThat(Figures.compact(0)).isEqualTo("0");
        assertThat(Figures.compact(999)).isEqualTo("999");
        assertThat(Figures.compact(1000)).isEqualTo("1.00 k");
        assertThat(Figures.compact(21_400_000)).isEqualTo("21.4 M");
        assertThat(Figures.compact(368_640)).isEqualTo("369 k");
        assertThat(Figures.compact(2e15)).isEqualTo("2000 T");
    }

    @Test
    void shouldNameUnitsAndNumbers() {
        assertThat(Figures.percent(1, 3)).isEqualTo("33 %");
        assertThat(Figures.percent(0, 0)).isEqualTo("-");
        assertThat(Figures.seconds(5)).isEqualTo("5 s");
        assertThat(Figures.seconds(0.5)).isEqualTo("0.5 s");
        assertThat(Figures.count(1, "page")).isEqualTo("1 page");
        assertThat(Figures.count(1024, "page")).isEqualTo("1 024 pages");
    }
}
