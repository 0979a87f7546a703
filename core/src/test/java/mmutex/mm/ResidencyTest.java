package mmutex.mm;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.device.DeviceBuffer;
import mmutex.machine.Emulation;
import org.junit.jupiter.api.Test;

class ResidencyTest {
    private final Emulation emulation = new Emulation();

    @Test
    void shouldCountExclusivePagesAsThereAndTouchNothing() {
        emulation.mapWritten(0, 2).map(2, 2, READ_WRITE);
        emulation.load(3);
        emulation.open(0).exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));
        final byte[] vec = new byte[4];

        assertThat(emulation.process.mincore(emulation.cpu, addr(0), 4, vec)).isEqualTo(Errno.OK);

        assertThat(vec).containsExactly(1, 1, 0, 1);
        assertThat(emulation.kind(0).isDeviceExclusive()).isTrue();
    }

    @Test
    void shouldFillInWhatComesBeforeAHole() {
        emulation.mapWritten(0, 2);
        final byte[] vec = new byte[3];

        assertThat(emulation.process.mincore(emulation.cpu, addr(0), 3, vec)).isEqualTo(Errno.ENOMEM);
        assertThat(vec).containsExactly(1, 1, 0);
        assertThat(emulation.process.mincore(emulation.cpu, addr(0) + 1, 1, vec))
                .isEqualTo(Errno.EINVAL);
    }

    @Test
    void shouldSayWhatIsWrongWithARange() {
        emulation.mapWritten(0, 2);

        assertThat(mincore(addr(0), -1L)).isEqualTo(Errno.ENOMEM);
        assertThat(mincore(addr(0), Long.MAX_VALUE)).isEqualTo(Errno.ENOMEM);
        assertThat(mincore(-PAGE, 1)).isEqualTo(Errno.ENOMEM);
        assertThat(mincore(emulation.process.space().addressLimit(), 0)).isEqualTo(Errno.OK);
        assertThat(mincore(addr(0), 2)).isEqualTo(Errno.EFAULT);
    }

    /** Into a vector of one byte. */
    private Errno mincore(final long addr, final long pages) {
        return emulation.process.mincore(emulation.cpu, addr, pages, new byte[1]);
    }
}
