package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernel selftest's other cases on the same paths: CH-1 to CH-6, CH-19, CH-20; in every profile. */
@HangGuard
class HmmCasesTest {
    private static final int PAGES = 1024;
    private static final long LENGTH = (long) PAGES * Rig.PAGE;
    private static final int REPEATS = 10;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static DeviceBuffer sink() {
        return DeviceBuffer.ofArray(new byte[PAGES * Rig.PAGE]);
    }

    private static void protect(final Rig rig, final long protection) {
        assertThat(rig.process.mprotect(rig.cpu, Rig.BUFFER, LENGTH, protection))
                .isEqualTo(Errno.OK);
    }

    private static void expectZero(final byte[] mirror, final int from, final int to) {
        for (int i = from; i < to; i++) {
            assertThat(mirror[i]).as("mirror byte %d", i).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch1OpenClose(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(1);
        rig.closeAndCheckClean(1);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch2AnonRead(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);
        for (int k = 2 * Rig.WORDS; k < PAGES * Rig.WORDS; k++) {
            rig.cpu.storeInt(Rig.BUFFER + 4L * k, k);
        }
        protect(rig, VmFlags.READ);
        assertThat(rig.cpu.loadInt(rig.addr(1))).isEqualTo(Signal.NONE);
        assertThat(rig.state(1).zero()).isTrue();
        assertThat(rig.kind(0)).isEqualTo(PteKind.NONE);
        final byte[] mirror = new byte[PAGES * Rig.PAGE];

        assertThat(rig.device().read(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                .isEqualTo(new Result(Errno.OK, PAGES, 1));

        expectZero(mirror, 0, 2 * Rig.PAGE);
        Rig.expectPattern(mirror, 2 * Rig.WORDS, 0);
        rig.checker().now(rig.cpu).orThrow();
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch3AnonReadProt(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final byte[] mirror = Rig.pattern(PAGES, 7);
        protect(rig, 0);

        assertThat(rig.device()
                        .read(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror))
                        .errno())
                .isEqualTo(Errno.EFAULT);

        protect(rig, VmFlags.READ);
        rig.expectPattern(rig.cpu, PAGES, 0);
        Rig.expectPattern(mirror, 7);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch4AnonWrite(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);

        assertThat(rig.device().write(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(Rig.pattern(PAGES, 0))))
                .isEqualTo(new Result(Errno.OK, PAGES, 1));

        rig.expectPattern(rig.cpu, PAGES, 0);
        rig.checker().now(rig.cpu).orThrow();
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch5AnonWriteProt(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        assertThat(rig.process.mmap(rig.cpu, Rig.BUFFER, LENGTH, VmFlags.READ)).isEqualTo(Errno.OK);
        assertThat(rig.device().read(rig.cpu, Rig.BUFFER, 1, sink())).isEqualTo(new Result(Errno.OK, 1, 1));
        assertThat(rig.state(0).zero()).isTrue();
        final DeviceBuffer pattern = DeviceBuffer.ofArray(Rig.pattern(PAGES, 0));

        assertThat(rig.device().write(rig.cpu, Rig.BUFFER, PAGES, pattern).errno())
                .isEqualTo(Errno.EPERM);
        for (int k = 0; k < PAGES * Rig.WORDS; k++) {
            assertThat(rig.cpu.loadInt(Rig.BUFFER + 4L * k)).isEqualTo(Signal.NONE);
            assertThat(rig.cpu.value()).isZero();
        }

        protect(rig, Rig.RW);
        assertThat(rig.device().write(rig.cpu, Rig.BUFFER, PAGES, pattern)).isEqualTo(new Result(Errno.OK, PAGES, 1));
        rig.expectPattern(rig.cpu, PAGES, 0);
        assertThat(rig.state(0).zero()).isFalse();
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch6AnonWriteChild(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final Process child = rig.process.fork(rig.cpu).child();
        rig.other.run(child);
        final MirrorHandle handle = rig.machine.newMirrorDevice(1).open(rig.other, child.space());
        rig.expectPattern(rig.other, PAGES, 0);

        assertThat(handle.write(rig.other, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(Rig.pattern(PAGES, 7))))
                .isEqualTo(new Result(Errno.OK, PAGES, 1));

        rig.expectPattern(rig.other, PAGES, 7);
        rig.expectPattern(rig.cpu, PAGES, 0); // I29
        rig.other.run(null);
        handle.close(rig.other);
        child.exit(rig.other);
        rig.expectPattern(rig.cpu, PAGES, 0);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch19AnonReadMultiple(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        for (int c = 0; c < REPEATS; c++) {
            rig.map(PAGES);
            rig.writePattern(rig.cpu, PAGES, c);
            final byte[] mirror = new byte[PAGES * Rig.PAGE];

            assertThat(rig.device().read(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                    .isEqualTo(new Result(Errno.OK, PAGES, 1));

            Rig.expectPattern(mirror, c);
            assertThat(rig.process.munmap(rig.cpu, Rig.BUFFER, LENGTH)).isEqualTo(Errno.OK);
            rig.checker().atQuiescence(rig.cpu).orThrow();
        }
        rig.closeAndCheckClean(PAGES);
    }

    /** The only concurrent case of the kernel's: a read while the upper half goes away. */
    @ParameterizedTest
    @MethodSource("profiles")
    void ch20AnonTeardown(final SemanticProfile profile) throws InterruptedException {
        final long seed = Long.getLong("mmutex.teardown.seed", System.nanoTime() & 0xffff_ffffL);
        System.out.println("ch20 " + profile + " -Dmmutex.teardown.seed=" + seed);
        final SplittableRandom random = new SplittableRandom(seed);
        final Rig rig = new Rig(profile, 1);
        for (int c = 0; c < REPEATS; c++) {
            rig.map(PAGES);
            rig.writePattern(rig.cpu, PAGES, c);
            teardown(rig, c, random.nextInt(33));
            assertThat(rig.process.munmap(rig.cpu, Rig.BUFFER, LENGTH)).isEqualTo(Errno.OK);
            rig.checker().atQuiescence(rig.cpu).orThrow();
        }
        rig.closeAndCheckClean(PAGES);
    }

    private static void teardown(final Rig rig, final int c, final int microseconds) throws InterruptedException {
        final CyclicBarrier start = new CyclicBarrier(2);
        final Cpu unmapper = rig.other;
        final byte[] mirror = new byte[PAGES * Rig.PAGE];
        final Crew crew = new Crew();
        crew.start("unmapper", () -> {
            start.await();
            final long until = System.nanoTime() + microseconds * 1000L;
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            assertThat(rig.process.munmap(unmapper, Rig.BUFFER + LENGTH / 2, LENGTH / 2))
                    .isEqualTo(Errno.OK);
        });
        crew.start("reader", () -> {
            start.await();
            final Result read = rig.device().read(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror));
            if (read.errno() == Errno.OK) {
                assertThat(read.cpages()).isEqualTo(PAGES);
                Rig.expectPattern(mirror, c);
            } else {
                assertThat(read.errno()).isEqualTo(Errno.EFAULT);
            }
        });
        crew.join();
        // I14, whatever came of it: no mapping of the device leads to a frame that was freed.
        rig.checker().now(rig.cpu).orThrow();
    }
}
