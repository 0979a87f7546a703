package mmutex.fault;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.File;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.FileMapping;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults in mappings that have a file behind them. */
@HangGuard
class FileFaultTest {
    private Emulation emulation = new Emulation();
    private File file;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    /** A file whose pages hold 100, 101, ... */
    private File filled(final int pages) {
        file = emulation.machine.newFile(emulation.cpu, pages);
        for (int i = 0; i < pages; i++) {
            assertThat(file.write(emulation.cpu, i * PAGE, new byte[] {(byte) (100 + i), 0, 0, 0, 0, 0, 0, 0}))
                    .isEqualTo(Errno.OK);
        }
        return file;
    }

    private void map(final long first, final long count, final long protection, final File of, final boolean shared) {
        map(emulation.process, emulation.cpu, first, count, protection, of, shared);
    }

    private static void map(
            final Process process,
            final Cpu cpu,
            final long first,
            final long count,
            final long protection,
            final File of,
            final boolean shared) {
        assertThat(process.mmapFile(cpu, addr(first), count * PAGE, protection, of, 0, shared))
                .isEqualTo(Errno.OK);
    }

    private void assertMapped(final long first, final long end, final boolean mapped) {
        for (long page = first; page < end; page++) {
            assertThat(emulation.encoding.isPresent(emulation.pte(page)))
                    .as("page %d", page)
                    .isEqualTo(mapped);
        }
    }

    private void finish() {
        if (file != null) {
            file.close(emulation.cpu);
        }
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReadTheFilesPage(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        map(0, 2, READ, filled(2), false);

        assertThat(emulation.load(1)).isEqualTo(101);
        emulation.assertCounts(1, 2, 1); // entry and page cache
        assertThat(emulation.frames.has(emulation.frame(1), FrameTable.FILE)).isTrue();
        assertThat(emulation.process.rssShmemPages()).isEqualTo(2);
        assertThat(emulation.process.rssAnonPages()).isZero();
        assertThat(emulation.process.rssFilePages()).isZero();
        assertThat(emulation.cpu.minorFaults()).isEqualTo(1);
        finish();
    }

    @Test
    void shouldMapTheCachedNeighboursOfARead() {
        map(8, 40, READ_WRITE, filled(40), true); // file page 0 at page 8 of a 16-page block
        emulation.load(8 + 2);
        assertMapped(8, 16, true);
        assertMapped(24, 48, false);
        assertThat(emulation.isWritable(9)).isTrue(); // base protection of a shared mapping
        assertThat(emulation.encoding.isDirty(emulation.pte(9))).isFalse();
        emulation.load(40);
        assertMapped(32, 48, true);
        assertMapped(24, 32, false);
        emulation.assertSound();
        finish();
    }

    /** The kernel counts 16 pages from the VMA's start where that lies within the block. */
    @Test
    void shouldMapSixteenPagesFromTheFirstOne() {
        map(8, 40, READ, filled(40), false);
        emulation.load(9);
        assertMapped(8, 24, true);
        assertMapped(24, 48, false);
        finish();
    }

    @Test
    void shouldMapAroundOnlyWhatIsCachedUnlockedAndNotMappedYet() {
        file = emulation.machine.newFile(emulation.cpu, 6);
        map(0, 6, READ_WRITE, file, true);
        emulation.store(1, 7); // creates page 1
        final long one = emulation.frame(1);
        emulation.store(3, 8);
        emulation.process.madvise(emulation.cpu, addr(3), PAGE, Advice.DONTNEED);
        emulation.store(4, 9);
        final long locked = emulation.frame(4);
        emulation.process.madvise(emulation.cpu, addr(4), PAGE, Advice.DONTNEED);
        final Task holder = emulation.machine.newTask("holder");
        emulation.platform.pageLock().lock(holder, locked);

        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.frame(1)).isEqualTo(one);
        assertMapped(3, 4, true);
        assertMapped(2, 3, false); // never made
        assertMapped(4, 6, false); // locked; never made
        emulation.platform.pageLock().unlock(holder, locked);
        assertThat(emulation.load(4)).isEqualTo(9);
        assertThat(emulation.process.rssShmemPages()).isEqualTo(4);
        finish();
    }

    @Test
    void shouldMapOnlyTheWrittenPageOfASharedMapping() {
        map(0, 4, READ_WRITE, filled(4), true);
        final List<Event> events = emulation.record();
        emulation.store(1, 5);
        assertMapped(0, 1, false);
        assertMapped(2, 4, false);
        assertThat(emulation.encoding.isDirty(emulation.pte(1))).isTrue();
        assertThat(events).isEmpty();
        final byte[] content = new byte[1];
        assertThat(file.read(emulation.cpu, PAGE, content)).isEqualTo(Errno.OK);
        assertThat(content[0]).isEqualTo((byte) 5);
        finish();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyOnAWriteToAPrivateMapping(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        map(0, 3, READ_WRITE, filled(3), false);
        final List<Event> events = emulation.record();
        emulation.store(0, 5); // never touched
        assertThat(events).isEmpty();
        assertMapped(1, 3, false);
        assertThat(emulation.load(1)).isEqualTo(101);
        assertThat(emulation.isWritable(1)).isFalse();
        emulation.store(1, 6); // touched before
        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 1, 2, 0));

        assertThat(emulation.process.rssAnonPages()).isEqualTo(2);
        assertThat(emulation.process.rssShmemPages()).isEqualTo(1);
        emulation.assertCounts(0, 1, 1);
        emulation.assertCounts(1, 1, 1);
        final byte[] content = new byte[1];
        file.read(emulation.cpu, PAGE, content);
        assertThat(content[0]).isEqualTo((byte) 101);
        emulation.assertSound();
        finish();
    }

    @Test
    void shouldSignalBehindTheEndOfTheFile() {
        map(0, 4, READ_WRITE, filled(2), false);
        assertThat(emulation.cpu.loadLong(addr(2))).isEqualTo(Signal.BUS_ADRERR);
        assertThat(emulation.cpu.storeLong(addr(3), 1)).isEqualTo(Signal.BUS_ADRERR);
        assertThat(emulation.load(1)).isEqualTo(101);
        assertMapped(2, 4, false); // not by the fault-around either
        map(8, 4, READ_WRITE, file, true);
        assertThat(emulation.cpu.storeLong(addr(10), 1)).isEqualTo(Signal.BUS_ADRERR);
        emulation.assertSound();
        finish();
    }

    @Test
    void shouldReportThatMemoryIsOut() {
        emulation = new Emulation(SemanticProfile.K612, 24, 64);
        file = emulation.machine.newFile(emulation.cpu, 64);
        map(0, 64, READ_WRITE, file, true);
        long page = 0;
        while (emulation.cpu.storeLong(addr(page), page) == Signal.NONE) {
            page++;
        }
        assertThat(page).isEqualTo(22);
        assertThat(emulation.cpu.loadLong(addr(page))).isEqualTo(Signal.OUT_OF_MEMORY);
        map(100, 1, READ_WRITE, file, false);
        assertThat(emulation.cpu.storeLong(addr(100), 1)).isEqualTo(Signal.OUT_OF_MEMORY); // a copy has no frame
        emulation.assertSound();
        finish();
    }

    @Test
    void shouldMakeASharedPageWritableWhereSoftDirtyIsTracked() {
        map(0, 1, READ_WRITE, filled(1), true);
        final Vma vma = emulation.space.vmas().lookup(addr(0));
        emulation.space.mmapLock().writeLock(emulation.cpu);
        emulation.space.editor().modify(emulation.cpu, vma, vma.start(), vma.end(), vma.flags() & ~VmFlags.SOFTDIRTY);
        emulation.space.mmapLock().writeUnlock(emulation.cpu);
        emulation.load(0);
        final long frame = emulation.frame(0);
        assertThat(emulation.isWritable(0)).isFalse();
        emulation.frames.clearBits(frame, FrameTable.DIRTY);

        emulation.store(0, 5);
        assertThat(emulation.frame(0)).isEqualTo(frame);
        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(emulation.encoding.isSoftDirty(emulation.pte(0))).isTrue();
        assertThat(emulation.frames.has(frame, FrameTable.DIRTY)).isTrue();
        finish();
    }

    @Test
    void shouldGatherDirtinessWhenUnmapped() {
        map(0, 1, READ_WRITE, filled(1), true);
        emulation.load(0);
        final long frame = emulation.frame(0);
        emulation.frames.clearBits(frame, FrameTable.DIRTY);
        emulation.store(0, 3); // hardware sets the entry's bit only
        assertThat(emulation.frames.has(frame, FrameTable.DIRTY)).isFalse();
        emulation.process.munmap(emulation.cpu, addr(0), PAGE);
        assertThat(emulation.frames.has(frame, FrameTable.DIRTY)).isTrue();
        assertThat(emulation.frames.refCount(frame)).isEqualTo(1); // the cache's
        finish();
    }

    @Test
    void shouldFindTheSamePageInTwoProcesses() {
        map(0, 2, READ_WRITE, filled(2), true);
        emulation.store(0, 77);
        final Process second = emulation.machine.newProcess();
        final Cpu cpu = emulation.machine.cpu(1);
        cpu.run(second);
        map(second, cpu, 5, 2, READ, file, true);
        assertThat(cpu.loadLong(addr(5))).isEqualTo(Signal.NONE);
        assertThat(cpu.value()).isEqualTo(77);
        assertThat(emulation.frame(second, 5)).isEqualTo(emulation.frame(0));
        emulation.assertCounts(0, 3, 2);
        emulation.assertSound();
        cpu.run(null);
        second.exit(cpu);
        emulation.assertCounts(0, 2, 1);
        finish();
    }

    @Test
    void shouldHaveNothingWhereADriversPageWasDiscarded() {
        assertThat(emulation.process.mmapDriver(emulation.cpu, addr(0), 2 * PAGE, READ_WRITE))
                .isEqualTo(Errno.OK);
        assertThat(emulation.process.rssFilePages()).isEqualTo(2);
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.cpu.minorFaults()).isZero();
        emulation.process.madvise(emulation.cpu, addr(0), PAGE, Advice.DONTNEED);
        assertThat(emulation.cpu.loadLong(addr(0))).isEqualTo(Signal.BUS_ADRERR);
        emulation.store(1, 4); // never reused, although nobody else holds it
        assertThat(emulation.process.rssFilePages()).isZero();
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(emulation.frames.has(emulation.frame(1), FrameTable.ANON)).isTrue();
        emulation.assertSound();
        finish();
    }

    /** Both map the one page that the cache will have; neither a frame nor a count is lost. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeOnePageForManyFirstTouches(final SemanticProfile profile) throws InterruptedException {
        emulation = new Emulation(profile);
        final int pages = 64;
        file = emulation.machine.newFile(emulation.cpu, pages);
        final Crew crew = new Crew();
        final Process[] processes = {emulation.process, emulation.machine.newProcess()};
        crew.startTogether(2, number -> {
            final Cpu cpu = emulation.machine.cpu(number + 1);
            cpu.run(processes[number]);
            map(processes[number], cpu, 0, pages, READ_WRITE, file, true);
            for (int page = 0; page < pages; page++) {
                assertThat(cpu.fetchAddLong(addr(page), 1)).isEqualTo(Signal.NONE);
            }
            cpu.run(null);
        });
        crew.join();
        for (int page = 0; page < pages; page++) {
            assertThat(emulation.load(page)).isEqualTo(2);
            emulation.assertCounts(page, 3, 2);
        }
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(pages);
        emulation.assertSound();
        processes[1].exit(emulation.cpu);
        finish();
    }

    @Test
    void shouldKeepTheFaultOutWhileThePageIsLocked() throws InterruptedException {
        map(0, 1, READ_WRITE, filled(1), true);
        final FileMapping mapping = emulation.space.vmas().lookup(addr(0)).file();
        final Task holder = emulation.machine.newTask("holder");
        final long pfn = mapping.lockPage(holder, 0);
        final Crew crew = new Crew();
        final Cpu cpu = emulation.machine.cpu(1);
        cpu.run(emulation.process);
        crew.start("toucher", () -> assertThat(cpu.storeLong(addr(0), 1)).isEqualTo(Signal.NONE));
        while (!emulation.frames.has(pfn, FrameTable.WAITERS)) {
            Thread.yield();
        }
        assertMapped(0, 1, false);
        mapping.unlockPage(holder, pfn);
        crew.join();
        assertMapped(0, 1, true);
        cpu.run(null);
        finish();
    }
}
