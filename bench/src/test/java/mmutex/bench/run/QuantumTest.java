package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QuantumTest {
    @Test
    void shouldApplyOnlyWhereActorsOutnumberCores() {
        assertThat(Quantum.lengthNs(2, 2)).isZero();
        assertThat(Quantum.lengthNs(3, 2)).isEqualTo(Quantum.LENGTH_NS);
    }

    @Test
    void shouldBeSpentAfterItsLength() {
        final Quantum quantum = new Quantum(1_000_000_000_000L);
        final long start = System.nanoTime();

        assertThat(quantum.spend(start)).isTrue(); // the first look at the clock
        assertThat(quantum.spend(start + 1)).isFalse();
        assertThat(quantum.spend(start + 2_000_000_000_000L)).isTrue();
    }

    @Test
    void shouldNeverBeSpentWhereThereIsNone() {
        assertThat(new Quantum(0).spend(Long.MAX_VALUE)).isFalse();
    }
}
