package mmutex.fault;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.FaultResult;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Vma;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

@HangGuard
class FirstTouchTest {
    private final Emulation emulation = new Emulation();
    private final PteEncoding encoding = emulation.encoding;

    @Test
    void shouldGiveAWriteAFrameOfItsOwn() {
        emulation.map(0, 1, READ_WRITE);
        final List<Event> events = emulation.record();

        emulation.store(0, 7);

        final long pte = emulation.pte(0);
        assertThat(encoding.isPresent(pte)).isTrue();
        assertThat(encoding.isWritable(pte)).isTrue();
        assertThat(encoding.isDirty(pte)).isTrue();
        assertThat(encoding.isYoung(pte)).isTrue();
        assertThat(encoding.isSoftDirty(pte)).isTrue();
        emulation.assertCounts(0, 1, 1);
        assertThat(emulation.frames.has(emulation.frame(0), FrameTable.ANON | FrameTable.ANON_EXCLUSIVE))
                .isTrue();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(events).isEmpty();
        assertThat(emulation.space.vmas().lookup(BASE).anonVma()).isNotNull();
    }

    @Test
    void shouldZeroWhatItMaps() {
        emulation.mapWritten(0, 3);
        emulation.process.munmap(emulation.cpu, addr(0), 3 * PAGE);
        emulation.map(0, 3, READ_WRITE); // the same frames, used

        emulation.cpu.storeLong(addr(1) + 8, -1);

        assertThat(emulation.load(1)).isZero();
    }

    @Test
    void shouldShareTheZeroFrameBetweenReads() {
        emulation.map(0, 2, READ_WRITE);
        final List<Event> events = emulation.record();

        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.load(1)).isZero();

        assertThat(emulation.frame(0)).isEqualTo(FrameAllocator.ZERO_FRAME);
        assertThat(emulation.frame(1)).isEqualTo(FrameAllocator.ZERO_FRAME);
        assertThat(encoding.isSpecial(emulation.pte(0))).isTrue();
        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.frames.refCount(FrameAllocator.ZERO_FRAME)).isZero();
        assertThat(emulation.frames.mapCount(FrameAllocator.ZERO_FRAME)).isZero();
        assertThat(emulation.process.rssAnonPages()).isZero();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(events).isEmpty();
        assertThat(emulation.space.vmas().lookup(BASE).anonVma()).isNull();
    }

    @Test
    void shouldServeReadsOfReadOnlyMemory() {
        emulation.map(0, 1, READ);

        assertThat(emulation.load(0)).isZero();
    }

    @Test
    void shouldReportExhaustedFramesAndStayInBalance() {
        final int frames = 24;
        final Emulation small = new Emulation(SemanticProfile.K612, frames, 64);
        small.map(0, 64, READ_WRITE);
        int written = 0;
        while (small.cpu.storeLong(addr(written), written) == Signal.NONE) {
            written++;
        }

        assertThat(written).isEqualTo(frames - 2);
        assertThat(small.cpu.storeLong(addr(written), 1)).isEqualTo(Signal.OUT_OF_MEMORY);
        assertThat(small.process.rssAnonPages()).isEqualTo(written);
        assertThat(small.load(written)).isZero(); // reading needs no frame
        small.assertSound();

        small.process.madvise(small.cpu, addr(3), PAGE, Advice.DONTNEED);
        small.store(written, 77);
        assertThat(small.load(written)).isEqualTo(77);
        small.assertNothingIsLeft();
    }

    @Test
    void shouldReportExhaustedTables() {
        final Emulation small = new Emulation(SemanticProfile.K612, 64, 16);
        final long far = 1L << 27; // pages, so that each needs a whole path of tables but the root
        Signal last = Signal.NONE;
        int touched = 0;
        while (last == Signal.NONE) {
            small.process.mmap(small.cpu, BASE + touched * far * 8, PAGE, READ_WRITE);
            last = small.cpu.storeLong(BASE + touched * far * 8, 1);
            touched++;
        }

        assertThat(last).isEqualTo(Signal.OUT_OF_MEMORY);
        assertThat(small.process.rssAnonPages()).isEqualTo(touched - 1);
        assertThat(small.platform.allocator().inUse()).isEqualTo(touched - 1);
        small.assertNothingIsLeft();
    }

    @Test
    void shouldNotFaultInSharedMemory() {
        emulation.space.mmapLock().writeLock(emulation.cpu);
        final Vma shared = emulation
                .space
                .editor()
                .map(
                        emulation.cpu,
                        BASE,
                        BASE + PAGE,
                        VmFlags.READ | VmFlags.WRITE | VmFlags.MAYWRITE | VmFlags.SHARED,
                        0);
        emulation.space.mmapLock().writeUnlock(emulation.cpu);
        emulation.space.mmapLock().readLock(emulation.cpu);

        assertThat(FaultHandler.handle(emulation.cpu, shared, BASE, FaultFlags.WRITE))
                .isEqualTo(FaultResult.SIGBUS);
        emulation.space.mmapLock().readUnlock(emulation.cpu);
        assertThat(emulation.cpu.storeLong(BASE, 1)).isEqualTo(Signal.BUS_ADRERR);
    }

    /** A lost race gives its frame back. */
    @Test
    void shouldMapOneFrameWhenCpusTouchTogether() throws InterruptedException {
        final int pages = 120;
        emulation.map(0, pages, READ_WRITE);
        final Crew crew = new Crew();
        crew.startTogether(3, number -> {
            final Cpu mine = emulation.machine.cpu(number);
            mine.run(emulation.process);
            for (int page = 0; page < pages; page++) {
                assertThat(mine.fetchAddLong(addr(page), 1)).isEqualTo(Signal.NONE);
            }
        });
        crew.join();

        for (int page = 0; page < pages; page++) {
            assertThat(emulation.load(page)).isEqualTo(3);
            emulation.assertCounts(page, 1, 1);
        }
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(pages);
        for (int number = 1; number < 3; number++) {
            emulation.machine.cpu(number).run(null);
        }
        emulation.assertNothingIsLeft();
    }

    /** R-VL: while a writer holds the mmap lock, a fault neither maps behind its back nor is lost. */
    @Test
    void shouldTouchWhileOthersMapAndUnmapElsewhere() throws InterruptedException {
        final int rounds = 400;
        emulation.map(0, 100, READ_WRITE);
        final Crew crew = new Crew();
        crew.startTogether(2, number -> {
            final Cpu mine = emulation.machine.cpu(number + 1);
            mine.run(emulation.process);
            for (int i = 0; i < rounds; i++) {
                if (number == 0) {
                    final Process process = emulation.process;
                    process.mmap(mine, addr(200), PAGE, READ_WRITE);
                    assertThat(mine.storeLong(addr(200), i)).isEqualTo(Signal.NONE);
                    process.munmap(mine, addr(200), PAGE);
                } else {
                    assertThat(mine.storeLong(addr(i % 100), i)).isEqualTo(Signal.NONE);
                    emulation.process.madvise(mine, addr(i % 100), PAGE, Advice.DONTNEED);
                }
            }
            mine.run(null);
        });
        crew.join();

        emulation.assertNothingIsLeft();
    }
}
