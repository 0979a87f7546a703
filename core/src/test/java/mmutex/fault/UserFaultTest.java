package mmutex.fault;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.memory.FrameTable;
import mmutex.mm.SemanticProfile;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import mmutex.sync.PhaseProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@HangGuard
class UserFaultTest {
    private final Emulation emulation = new Emulation();
    private final Cpu cpu = emulation.cpu;

    @Test
    void shouldSaySegvWhereNothingIsMapped() {
        assertThat(UserFault.handle(cpu, emulation.space, BASE, false)).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
        assertThat(cpu.minorFaults()).isZero();
    }

    @Test
    void shouldSayWhatTheMappingForbids() {
        emulation.map(0, 1, READ);
        emulation.map(1, 1, 0);

        assertThat(UserFault.handle(cpu, emulation.space, addr(0), true)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(UserFault.handle(cpu, emulation.space, addr(1), false)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(emulation.pte(0)).isEqualTo(emulation.encoding.empty());
    }

    /** The fault works under the VMA lock alone: a queued or running mmap writer elsewhere doesn't stop it. */
    @Test
    void shouldNotNeedTheMmapLockOncePrepared() {
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ_WRITE);
        emulation.space.mmapLock().writeLock(emulation.machine.cpu(1));

        assertThat(cpu.storeLong(addr(1), 1)).isEqualTo(Signal.NONE); // the VMA has its anon_vma
    }

    @Test
    void shouldWaitForTheMmapLockWhereThereIsNoVmaLock() throws InterruptedException {
        final Emulation old = new Emulation(SemanticProfile.K514);
        old.mapWritten(0, 1);
        old.map(1, 1, READ_WRITE);
        final Cpu writer = old.machine.cpu(1);
        final Cpu reader = old.machine.cpu(2);
        old.space.mmapLock().writeLock(writer);
        final Crew crew = new Crew();
        crew.start("fault", () -> {
            reader.run(old.process);
            assertThat(reader.storeLong(addr(1), 7)).isEqualTo(Signal.NONE);
        });
        while (reader.faults() == 0) {
            Thread.yield();
        }
        assertThat(old.pte(1)).isEqualTo(old.encoding.empty());
        old.space.mmapLock().writeUnlock(writer);

        crew.join();
        assertThat(old.load(1)).isEqualTo(7);
    }

    @Test
    void shouldReleaseEverythingWhateverTheOutcome() {
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ);
        cpu.loadLong(addr(1));
        cpu.storeLong(addr(1), 1);
        cpu.loadLong(addr(9));
        emulation.store(0, 1);

        emulation.space.mmapLock().writeLock(cpu); // would hang behind a VMA lock that was kept
        emulation.space.vmas().lookup(addr(0)).lock().writeLock(cpu, emulation.space.mmapLock());
        emulation.space.vmas().lookup(addr(1)).lock().writeLock(cpu, emulation.space.mmapLock());
        emulation.space.mmapLock().writeUnlock(cpu);
    }

    @ParameterizedTest
    @EnumSource(value = PteKind.class, names = "MARKER")
    void shouldNotGuessWhatEntriesMeanThatNobodyMakesYet(final PteKind kind) {
        emulation.mapWritten(0, 1);
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, emulation.encoding.frameEntry(kind, 3));
        emulation.space.windows().flush(cpu);

        assertThatThrownBy(() -> cpu.loadLong(BASE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no operation of this emulator makes such entries yet: kind=" + kind + ", addr=0x40000000");
    }

    // ---- what is measured ---------------------------------------------------------------------------------------

    /** Writes down what a probe is told. */
    private static final class Notes implements PhaseProbe {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void begin(final Path path) {
            lines.add("begin " + path);
        }

        @Override
        public void mark(final Phase phase) {
            lines.add(phase.name());
        }

        @Override
        public void end(final Path path, final boolean done) {
            lines.add("end " + path + " " + done);
        }
    }

    private Notes probe() {
        final Notes notes = new Notes();
        cpu.probe(notes);
        return notes;
    }

    private void makeExclusive(final long page) {
        final PhaseProbe before = cpu.probe();
        cpu.probe(PhaseProbe.NONE);
        emulation.open(0).exclusive(cpu, addr(page), 1, DeviceBuffer.ofArray(new byte[4096]));
        cpu.probe(before);
        assertThat(emulation.kind(page).isDeviceExclusive()).isTrue();
    }

    @Test
    void shouldMarkThePhasesOfARestore() {
        emulation.mapWritten(0, 1);
        makeExclusive(0);
        final Notes notes = probe();

        emulation.load(0);

        assertThat(notes.lines)
                .containsExactly(
                        "begin RESTORE",
                        "FAULT_ENTRY",
                        "PAGE_LOCK",
                        "NOTIFY",
                        "PTE_RESTORE",
                        "NOTIFY_END",
                        "end RESTORE true");
    }

    @Test
    void shouldNotCallOtherFaultsRestores() {
        emulation.map(0, 1, READ_WRITE);
        final Notes notes = probe();

        emulation.store(0, 1);

        assertThat(notes.lines).containsExactly("begin RESTORE", "end RESTORE false");
    }

    /** A fault that fails before it gets to an entry must not be taken for the one before. */
    @Test
    void shouldNotCallAFailedFaultARestoreBecauseTheLastOneWas() {
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ);
        makeExclusive(0);
        emulation.load(0);
        final Notes notes = probe();

        cpu.loadLong(addr(9));
        assertThat(notes.lines).containsExactly("begin RESTORE", "end RESTORE false");
        notes.lines.clear();
        cpu.storeLong(addr(1), 1);
        assertThat(notes.lines).containsExactly("begin RESTORE", "end RESTORE false");
    }

    /** An attempt that was given up and started over counts once, as a restore. */
    @Test
    void shouldCallARetriedRestoreOne() throws InterruptedException {
        emulation.mapWritten(0, 1);
        makeExclusive(0);
        final long pfn = emulation.frame(0);
        emulation.platform.pageLock().lock(emulation.machine.cpu(1), pfn);
        final Notes notes = probe();
        final Crew crew = new Crew();
        crew.start("cpu0", () -> emulation.load(0));
        while (!emulation.frames.has(pfn, FrameTable.WAITERS)) {
            Thread.yield();
        }
        emulation.platform.pageLock().unlock(emulation.machine.cpu(1), pfn);

        crew.join();
        assertThat(notes.lines).startsWith("begin RESTORE").endsWith("end RESTORE true");
        assertThat(notes.lines.stream().filter(line -> line.startsWith("end"))).hasSize(1);
    }
}
