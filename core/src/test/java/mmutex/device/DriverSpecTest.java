package mmutex.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.Set;
import mmutex.machine.MachineSpec;
import mmutex.mm.Quirk;
import mmutex.notify.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DriverSpecTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 1 << 17, -2})
    void shouldRefuseCapacitiesThatNoBufferHas(final int capacity) {
        assertThatThrownBy(() -> DriverSpec.defaults().withFaultCapacity(capacity))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("faultCapacity must be a power of two, 2 to 65536: faultCapacity=" + capacity);
    }

    @Test
    void shouldChangeOneThingAtATime() {
        final DriverSpec spec = DriverSpec.defaults()
                .withProtocol(Protocol.HMM_MIRROR)
                .withRetryPolicy(RetryPolicy.CHECK_AND_REUSE)
                .withFaultCapacity(16)
                .withQuirks(Quirk.STICKY_ATOMIC);
        assertThat(spec)
                .isEqualTo(new DriverSpec(
                        Protocol.HMM_MIRROR, RetryPolicy.CHECK_AND_REUSE, 16, Set.of(Quirk.STICKY_ATOMIC)));
        assertThat(spec.withQuirks()).isNotEqualTo(spec);
    }

    @Test
    void shouldHaveNoQuirksByDefault() {
        final MachineSpec spec = MachineSpec.defaults();
        assertThat(spec.driver()).isEqualTo(DriverSpec.defaults());
        assertThat(spec.driver().quirks()).isEmpty();
        assertThat(spec.protocol()).isEqualTo(Protocol.INTERVAL);
        assertThat(spec.withProtocol(Protocol.RANGE_NOTIFIER).withCpus(1).protocol())
                .isEqualTo(Protocol.RANGE_NOTIFIER);
    }

    @Test
    void shouldKeepItsQuirksToItself() {
        final Set<Quirk> mine = EnumSet.of(Quirk.LEAKED_SPAN);
        final DriverSpec spec = new DriverSpec(Protocol.INTERVAL, RetryPolicy.PREFAULT, 2, mine);
        mine.clear();
        assertThat(spec.quirks()).containsExactly(Quirk.LEAKED_SPAN);
    }
}
