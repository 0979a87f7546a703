package mmutex.machine;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@HangGuard
class UserBufferTest {
    private final Emulation emulation = new Emulation();
    private final Cpu cpu = emulation.cpu;

    /** Offsets and lengths in all positions relative to words, and across pages. */
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "0, 1",
        "0, 3",
        "0, 4",
        "0, 7",
        "1, 1",
        "1, 2",
        "1, 3",
        "1, 9",
        "2, 6",
        "3, 1",
        "3, 2",
        "3, 8",
        "4093, 2",
        "4093, 3",
        "4093, 4",
        "4095, 2",
        "4000, 200",
        "4095, 1",
        "0, 8192",
        "2, 8190"
    })
    void shouldCopyExactlyTheGivenBytes(final int offset, final int length) {
        emulation.map(0, 2, READ_WRITE);
        final byte[] random = new byte[length];
        new SplittableRandom(offset * 31L + length).nextBytes(random);
        fill((byte) 0x55);
        final UserBuffer buffer = new UserBuffer(BASE + offset);

        assertThat(buffer.copyOut(cpu, random, length)).isEqualTo(Errno.OK);

        final byte[] memory = memory();
        final byte[] expected = new byte[(int) (2 * PAGE)];
        Arrays.fill(expected, (byte) 0x55);
        System.arraycopy(random, 0, expected, offset, length);
        assertThat(memory).isEqualTo(expected);

        final byte[] read = new byte[length + 2];
        assertThat(buffer.copyIn(cpu, read, length)).isEqualTo(Errno.OK);
        assertThat(Arrays.copyOf(read, length)).isEqualTo(random);
        assertThat(read[length]).isZero();
        assertThat(read[length + 1]).isZero();
    }

    private void fill(final byte value) {
        final byte[] bytes = new byte[(int) PAGE];
        Arrays.fill(bytes, value);
        for (int page = 0; page < 2; page++) {
            emulation.store(page, 0);
            emulation.platform.data().write(emulation.frame(page), 0, bytes, 0, (int) PAGE);
        }
    }

    private byte[] memory() {
        final byte[] bytes = new byte[(int) (2 * PAGE)];
        for (int page = 0; page < 2; page++) {
            emulation.platform.data().read(emulation.frame(page), 0, bytes, (int) (page * PAGE), (int) PAGE);
        }
        return bytes;
    }

    @Test
    void shouldFailWhereTheProcessCannotAccess() {
        emulation.map(0, 1, READ_WRITE);
        emulation.map(1, 1, READ);
        final byte[] bytes = new byte[8];

        assertThat(new UserBuffer(addr(1) - 4).copyOut(cpu, bytes, 8)).isEqualTo(Errno.EFAULT);
        assertThat(new UserBuffer(addr(1) - 4).copyIn(cpu, bytes, 8)).isEqualTo(Errno.OK);
        assertThat(new UserBuffer(addr(2) - 4).copyIn(cpu, bytes, 8)).isEqualTo(Errno.EFAULT);
        assertThat(new UserBuffer(addr(2) - 1).copyIn(cpu, bytes, 2)).isEqualTo(Errno.EFAULT);
        assertThat(new UserBuffer(addr(1) + 1).copyOut(cpu, bytes, 1)).isEqualTo(Errno.EFAULT);
        assertThat(new UserBuffer(addr(7)).copyOut(cpu, bytes, 0)).isEqualTo(Errno.OK);
    }

    /** A write of one byte to a fresh page is one fault, as copy_to_user's is; it doesn't read first. */
    @Test
    void shouldFaultOncePerFreshPage() {
        emulation.map(0, 2, READ_WRITE);
        new UserBuffer(BASE + 1).copyOut(cpu, new byte[] {7}, 1);
        assertThat(cpu.faults()).isEqualTo(1);
        new UserBuffer(addr(1)).copyOut(cpu, new byte[] {7, 7, 7, 7}, 4);
        assertThat(cpu.faults()).isEqualTo(2);
    }

    /** The bytes beside a partial word belong to somebody else, who may be writing them. */
    @Test
    void shouldNotOverwriteNeighbouringBytes() throws InterruptedException {
        emulation.map(0, 1, READ_WRITE);
        final AtomicBoolean over = new AtomicBoolean();
        final int rounds = 20_000;
        final Crew crew = new Crew();
        crew.start("neighbour", () -> {
            final Cpu neighbour = emulation.machine.cpu(1);
            neighbour.run(emulation.process);
            for (int i = 0; i < rounds; i++) { // counts in the three bytes behind the first
                assertThat(neighbour.fetchAddInt(BASE, 0x100)).isEqualTo(Signal.NONE);
            }
            over.set(true);
            neighbour.run(null);
        });
        final UserBuffer buffer = new UserBuffer(BASE);
        while (!over.get()) {
            buffer.copyOut(cpu, new byte[] {1}, 1);
        }
        crew.join();

        cpu.loadInt(BASE);
        assertThat(cpu.value()).isEqualTo(rounds * 0x100 + 1);
    }

    @Test
    void shouldNeedACpuToAccessMemory() {
        final Task task = emulation.machine.newTask("kthread");

        assertThatThrownBy(() -> new UserBuffer(BASE).copyOut(task, new byte[1], 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("user memory is reached by a CPU only: task=kthread");
    }
}
