package mmutex.machine;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import mmutex.device.DeviceBuffer;
import mmutex.layout.PteKind;
import mmutex.mm.Errno;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Test;

class FutexesTest {
    private final Emulation emulation = new Emulation();
    private final Futexes futexes = emulation.process.futexes();

    @Test
    void shouldSayWhyItDoesNotWait() {
        emulation.mapWritten(0, 1);

        assertThat(futexes.await(emulation.cpu, addr(0), 1, () -> false)).isEqualTo(Errno.EAGAIN);
        assertThat(futexes.await(emulation.cpu, addr(0), 0, () -> true)).isEqualTo(Errno.ETIMEDOUT);
        assertThat(futexes.await(emulation.cpu, addr(9), 0, () -> true)).isEqualTo(Errno.EFAULT);
        assertThat(futexes.await(emulation.cpu, addr(0) + 2, 0, () -> true)).isEqualTo(Errno.EINVAL);
        emulation.cpu.kill();
        assertThat(futexes.await(emulation.cpu, addr(0), 0, () -> false)).isEqualTo(Errno.EINTR);
        assertThat(futexes.wake(emulation.cpu, addr(0), 1)).isZero();
    }

    @Test
    void shouldRestoreTheExclusivePageThatItLooksAt() {
        emulation.mapWritten(0, 1);
        emulation.open(0).exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));

        assertThat(futexes.await(emulation.cpu, addr(0), 5, () -> false)).isEqualTo(Errno.EAGAIN);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
    }

    /** Two CPUs hand a turn to each other, each asleep while it is the other's: no wake-up may be lost. */
    @Test
    void shouldNeverLoseAWakeUp() throws Exception {
        final int rounds = 2_000;
        emulation.mapWritten(0, 1);
        final Cpu second = emulation.machine.cpu(1);
        second.run(emulation.process);
        final AtomicInteger turns = new AtomicInteger();

        final Crew crew = new Crew();
        for (final Cpu cpu : new Cpu[] {emulation.cpu, second}) {
            crew.start(cpu.name(), () -> {
                for (int round = 0; round < rounds; round++) {
                    while (turn(cpu) != cpu.number()) {
                        futexes.await(cpu, addr(0), 1 - cpu.number(), () -> false);
                    }
                    turns.incrementAndGet();
                    cpu.storeInt(addr(0), 1 - cpu.number());
                    futexes.wake(cpu, addr(0), 1);
                }
            });
        }
        crew.join();

        assertThat(turns).hasValue(2 * rounds);
    }

    private static int turn(final Cpu cpu) {
        cpu.loadInt(addr(0));
        return (int) cpu.value();
    }
}
