package mmutex.machine;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.device.DeviceBuffer;
import mmutex.layout.PteKind;
import mmutex.mm.Errno;
import org.junit.jupiter.api.Test;

class PipeTest {
    private final Emulation emulation = new Emulation();
    private final Pipe pipe = new Pipe();

    @Test
    void shouldCopyFromAndToMemory() {
        emulation.mapWritten(0, 4);

        assertThat(pipe.write(emulation.cpu, addr(3), 8)).isEqualTo(Errno.OK);
        assertThat(pipe.read(emulation.cpu, addr(0), 8)).isEqualTo(Errno.OK);

        assertThat(emulation.load(0)).isEqualTo(3);
        assertThat(pipe.read(new byte[1])).isZero();
    }

    @Test
    void shouldRestoreTheExclusivePageThatItCopies() {
        emulation.mapWritten(0, 1);
        emulation.open(0).exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));

        assertThat(pipe.write(emulation.cpu, addr(0), 4)).isEqualTo(Errno.OK);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldKeepWhatCouldNotBeRead() {
        emulation.mapWritten(0, 1).protect(0, 1, READ);
        pipe.write(new byte[] {1, 2, 3, 4});

        assertThat(pipe.read(emulation.cpu, addr(0), 4)).isEqualTo(Errno.EFAULT);
        assertThat(pipe.write(emulation.cpu, addr(9), 4)).isEqualTo(Errno.EFAULT);

        final byte[] bytes = new byte[8];
        assertThat(pipe.read(bytes)).isEqualTo(4);
        assertThat(bytes).startsWith(1, 2, 3, 4, 0);
    }

    /** The page itself is in the pipe: the reader sees what is in it when he reads. */
    @Test
    void shouldReferToSplicedPagesUntilTheyAreRead() {
        emulation.mapWritten(0, 2);

        assertThat(pipe.splice(emulation.cpu, emulation.process, addr(0) + PAGE - 8, 16))
                .isEqualTo(Errno.OK);

        emulation.assertCounts(1, 2, 1);
        emulation.store(1, 99);
        final byte[] bytes = new byte[12];
        assertThat(pipe.read(bytes)).isEqualTo(12);
        assertThat(bytes[8]).isEqualTo((byte) 99);
        emulation.assertCounts(0, 1, 1);
        emulation.assertCounts(1, 2, 1);
        pipe.close();
        emulation.assertCounts(1, 1, 1);
        assertThat(pipe.splice(emulation.cpu, emulation.process, addr(7), 8)).isEqualTo(Errno.EFAULT);
        emulation.assertNothingIsLeft();
    }
}
