package mmutex.machine;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.change.Advisor.Advice;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class CpuTest {
    private final Emulation emulation = new Emulation();
    private final Cpu cpu = emulation.cpu;

    // ---- accesses -------------------------------------------------------------------------------------------------

    @Test
    void shouldAccessLongs() {
        emulation.map(0, 1, READ_WRITE);

        assertThat(cpu.storeLong(BASE, Long.MIN_VALUE + 5)).isEqualTo(Signal.NONE);
        assertThat(cpu.loadLong(BASE)).isEqualTo(Signal.NONE);
        assertThat(cpu.value()).isEqualTo(Long.MIN_VALUE + 5);
        cpu.fetchAddLong(BASE, 2);
        assertThat(cpu.value()).isEqualTo(Long.MIN_VALUE + 5);
        cpu.exchangeLong(BASE, 1);
        assertThat(cpu.value()).isEqualTo(Long.MIN_VALUE + 7);
        cpu.compareAndSetLong(BASE, 2, 3);
        assertThat(cpu.value()).isZero();
        cpu.compareAndSetLong(BASE, 1, 3);
        assertThat(cpu.value()).isEqualTo(1);
        cpu.loadLong(BASE);
        assertThat(cpu.value()).isEqualTo(3);
    }

    @Test
    void shouldAccessIntsWithoutTouchingTheOtherHalf() {
        emulation.map(0, 1, READ_WRITE);
        cpu.storeInt(BASE, 7);

        assertThat(cpu.storeInt(BASE + 4, -1)).isEqualTo(Signal.NONE);
        cpu.loadInt(BASE + 4);
        assertThat(cpu.value()).isEqualTo(-1);
        cpu.fetchAddInt(BASE + 4, 3);
        assertThat(cpu.value()).isEqualTo(-1);
        cpu.exchangeInt(BASE + 4, 9);
        assertThat(cpu.value()).isEqualTo(2);
        cpu.compareAndSetInt(BASE + 4, 8, 1);
        assertThat(cpu.value()).isZero();
        cpu.compareAndSetInt(BASE + 4, 9, 1);
        assertThat(cpu.value()).isEqualTo(1);
        cpu.loadInt(BASE);
        assertThat(cpu.value()).isEqualTo(7);
    }

    @Test
    void shouldRefuseMisalignedAccesses() {
        emulation.map(0, 1, READ_WRITE);

        assertThatThrownBy(() -> cpu.loadLong(BASE + 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("misaligned access: addr=0x40000004, size=8");
        assertThatThrownBy(() -> cpu.storeInt(BASE + 2, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("misaligned access: addr=0x40000002, size=4");
        assertThat(emulation.platform.windows()[0].isOpen()).isFalse();
    }

    @Test
    void shouldReachTheLastWordOfAPage() {
        emulation.map(0, 2, READ_WRITE);

        cpu.storeLong(addr(1) - 8, 5);
        cpu.storeLong(addr(1), 6);

        assertThat(emulation.frame(0)).isNotEqualTo(emulation.frame(1));
        cpu.loadLong(addr(1) - 8);
        assertThat(cpu.value()).isEqualTo(5);
    }

    @Test
    void shouldSignalAccessesOutsideOfMappings() {
        emulation.map(0, 1, READ_WRITE);

        assertThat(cpu.loadLong(addr(1))).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(cpu.storeLong(BASE - 8, 1)).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(cpu.fetchAddInt(0, 1)).isEqualTo(Signal.SEGV_MAPERR);
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 47, 1L << 48, (1L << 48) + BASE, Long.MIN_VALUE + BASE, -8})
    void shouldSignalAddressesThatNoTableMaps(final long addr) {
        emulation.mapWritten(0, 1);
        emulation.load(0); // the TLB knows the page that a truncated address would hit

        assertThat(cpu.loadLong(addr)).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(cpu.storeLong(addr, 1)).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(emulation.load(0)).isZero();
    }

    @Test
    void shouldSignalWritesToReadOnlyMemory() {
        emulation.map(0, 1, READ);

        assertThat(cpu.storeLong(BASE, 1)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(cpu.loadLong(BASE)).isEqualTo(Signal.NONE);
        assertThat(cpu.storeLong(BASE, 1)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(cpu.compareAndSetInt(BASE, 0, 1)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(cpu.loadLong(BASE)).isEqualTo(Signal.NONE);
        assertThat(cpu.value()).isZero();
    }

    @Test
    void shouldSignalAnyAccessToNoAccessMemory() {
        emulation.mapWritten(0, 1);
        emulation.protect(0, 1, 0);

        assertThat(cpu.loadLong(BASE)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(cpu.storeLong(BASE, 1)).isEqualTo(Signal.SEGV_ACCERR);
    }

    @Test
    void shouldSayWhyItCannotAccessAnything() {
        cpu.run(null);
        assertThatThrownBy(() -> cpu.loadLong(BASE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("cpu0 runs no process");
        assertThatThrownBy(() -> emulation.machine.cpu(1).storeLong(BASE, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("cpu1 runs no process");
        assertThat(emulation.platform.windows()[0].isOpen()).isFalse();
        assertThat(emulation.platform.windows()[1].isOpen()).isFalse();
    }

    @Test
    void shouldCountItsFaults() {
        emulation.map(0, 2, READ_WRITE);
        emulation.store(0, 1);
        assertThat(cpu.faults()).isEqualTo(1);
        emulation.store(0, 2);
        emulation.load(0);
        assertThat(cpu.faults()).isEqualTo(1);
        emulation.load(1);
        emulation.store(1, 1); // first a zero page, then a copy
        assertThat(cpu.faults()).isEqualTo(3);
        assertThat(cpu.minorFaults()).isEqualTo(3);
    }

    // ---- hardware bits --------------------------------------------------------------------------------------------

    @Test
    void shouldSetYoungAndDirtyAsItAccesses() {
        emulation.mapWritten(0, 1);
        final long slot = emulation.space.pageTable().slot(BASE);
        final long old = emulation.encoding.mkOld(emulation.encoding.mkClean(emulation.pte(0)));
        emulation.space.pageTable().store(slot, old);
        emulation.space.windows().flush(cpu);

        emulation.load(0);
        assertThat(emulation.encoding.isYoung(emulation.pte(0))).isTrue();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isFalse();
        emulation.store(0, 1); // a read has cached the translation, but it must not permit a silent write
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isTrue();
    }

    // ---- translations that must not outlive their entry -------------------------------------------------------------

    @Test
    void shouldForgetTranslationsOnUnmap() {
        emulation.mapWritten(0, 2);

        emulation.process.munmap(cpu, addr(0), PAGE);

        assertThat(cpu.loadLong(addr(0))).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(emulation.load(1)).isEqualTo(1);
    }

    @Test
    void shouldForgetWritePermissionOnMprotect() {
        emulation.mapWritten(0, 1);

        emulation.protect(0, 1, READ);

        assertThat(cpu.storeLong(BASE, 5)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(emulation.load(0)).isZero();
    }

    @Test
    void shouldForgetWritePermissionOnFork() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 1);
        final Process child = emulation.fork();

        emulation.store(0, 2);

        emulation.machine.cpu(1).run(child);
        emulation.machine.cpu(1).loadLong(BASE);
        assertThat(emulation.machine.cpu(1).value()).isEqualTo(1);
    }

    @Test
    void shouldForgetTranslationsOnDiscard() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);

        emulation.process.madvise(cpu, BASE, PAGE, Advice.DONTNEED);

        assertThat(emulation.load(0)).isZero();
    }

    @Test
    void shouldForgetTranslationsWhenItRunsAnotherProcess() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        final Process other = emulation.machine.newProcess();
        cpu.run(other);
        assertThat(cpu.space()).isSameAs(other.space());

        assertThat(cpu.loadLong(BASE)).isEqualTo(Signal.SEGV_MAPERR);
        other.mmap(cpu, BASE, PAGE, READ_WRITE);
        cpu.storeLong(BASE, 6);
        cpu.run(emulation.process);
        assertThat(emulation.load(0)).isEqualTo(5);
    }

    /** Many more pages than the TLB has entries, which also collide. */
    @Test
    void shouldKeepTranslationsOfCollidingPagesApart() {
        final Emulation large = new Emulation(SemanticProfile.K612, 1024, 128);
        large.mapWritten(0, 600);

        for (int round = 0; round < 2; round++) {
            for (int page = 0; page < 600; page++) {
                assertThat(large.load(page)).isEqualTo(page);
            }
        }
        assertThat(large.cpu.faults()).isEqualTo(600);
    }

    /** O3: discarded and reused frames are never written through an old translation of another CPU. */
    @Test
    void shouldNotWriteToFramesThatAnotherCpuHasDiscarded() throws InterruptedException {
        final int rounds = 1_500;
        final AtomicBoolean over = new AtomicBoolean();
        emulation.map(0, 1, READ_WRITE);
        emulation.map(8, 1, READ_WRITE);
        final Crew crew = new Crew();
        crew.start("writer", () -> {
            final Cpu writer = emulation.machine.cpu(1);
            writer.run(emulation.process);
            while (!over.get()) {
                assertThat(writer.storeLong(addr(0), -1)).isEqualTo(Signal.NONE);
            }
            writer.run(null);
        });
        crew.start("discarder", () -> {
            for (int i = 0; i < rounds; i++) {
                emulation.process.madvise(cpu, addr(0), PAGE, Advice.DONTNEED);
                emulation.store(8, 5); // takes the frame that the other CPU used
                assertThat(emulation.load(8)).isEqualTo(5);
                emulation.process.madvise(cpu, addr(8), PAGE, Advice.DONTNEED);
                assertThat(emulation.load(8)).isZero();
                emulation.process.madvise(cpu, addr(8), PAGE, Advice.DONTNEED);
            }
            over.set(true);
        });
        crew.join();

        emulation.assertNothingIsLeft();
    }

    /** Atomics of CPUs are atomic against each other, also while the page comes and goes copy-on-write. */
    @Test
    void shouldNotLoseIncrementsWhileTheProcessForks() throws InterruptedException {
        final int increments = 4_000;
        final AtomicLong forks = new AtomicLong();
        emulation.map(0, 1, READ_WRITE);
        final Crew crew = new Crew();
        crew.startTogether(3, number -> {
            final Cpu mine = emulation.machine.cpu(number);
            if (number == 0) {
                for (int i = 0; i < 60; i++) {
                    final Process.Forked forked = emulation.process.fork(mine);
                    if (forked.errno() == Errno.OK) {
                        forks.incrementAndGet();
                        forked.child().exit(mine);
                    }
                }
                return;
            }
            mine.run(emulation.process);
            for (int i = 0; i < increments; i++) {
                assertThat(mine.fetchAddLong(BASE, 1)).isEqualTo(Signal.NONE);
            }
            mine.run(null);
        });
        crew.join();

        assertThat(forks.get()).isPositive();
        assertThat(emulation.load(0)).isEqualTo(2 * increments);
        emulation.assertNothingIsLeft();
    }
}
