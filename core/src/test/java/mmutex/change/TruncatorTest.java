package mmutex.change;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
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
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@HangGuard
class TruncatorTest {
    private Emulation emulation = new Emulation();
    private File file;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private void map(final long first, final long count, final long filePage, final boolean shared) {
        if (file == null) {
            file = emulation.machine.newFile(emulation.cpu, 8);
        }
        assertThat(emulation.process.mmapFile(
                        emulation.cpu, addr(first), count * PAGE, READ_WRITE, file, filePage * PAGE, shared))
                .isEqualTo(Errno.OK);
    }

    private void fill(final long first, final long count) {
        for (long page = first; page < first + count; page++) {
            emulation.store(page, 1000 + page);
        }
    }

    private void truncate(final long pages) {
        assertThat(file.truncate(emulation.cpu, pages * PAGE)).isEqualTo(Errno.OK);
    }

    private void finish() {
        file.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    private static void assertGone(final Emulation emulation, final long page) {
        assertThat(emulation.kind(page)).as("page %d", page).isEqualTo(PteKind.NONE);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldTakePagesFromAllMappingsPrivateCopiesIncluded(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        map(0, 8, 0, true);
        fill(0, 8);
        map(20, 4, 2, false);
        fill(20, 4); // copies of pages 2 to 5
        map(30, 2, 0, true);
        emulation.load(30);
        final long keptFrames = emulation.platform.allocator().inUse() - 5 - 3;
        final List<Event> events = emulation.record();

        truncate(3);
        // Twice over: once before and once after the pages leave the cache. The last VMA maps nothing that is gone.
        final Event shared = new Event(NotifierEvent.CLEAR, 3, 8, 0);
        final Event copies = new Event(NotifierEvent.CLEAR, 21, 24, 0);
        assertThat(events).containsExactly(shared, copies, shared, copies);
        for (long page = 3; page < 8; page++) {
            assertGone(emulation, page);
            assertThat(emulation.cpu.loadLong(addr(page))).isEqualTo(Signal.BUS_ADRERR);
        }
        for (long page = 21; page < 24; page++) {
            assertGone(emulation, page);
        }
        assertThat(emulation.load(2)).isEqualTo(1002);
        assertThat(emulation.load(20)).isEqualTo(1020);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(keptFrames);
        assertThat(file.size()).isEqualTo(3 * PAGE);
        emulation.assertSound();
        finish();
    }

    @Test
    void shouldShowZerosWhereTheFileHasGrownAgain() {
        map(0, 8, 0, true);
        fill(0, 8);
        truncate(0);
        truncate(8);
        for (long page = 0; page < 8; page++) {
            assertThat(emulation.load(page)).isZero();
        }
        finish();
    }

    @Test
    void shouldSayNothingWhenTheFileGrowsOrStays() {
        map(0, 8, 0, true);
        fill(0, 8);
        final List<Event> events = emulation.record();
        truncate(8);
        truncate(12);
        assertThat(events).isEmpty();
        assertThat(emulation.load(7)).isEqualTo(1007);
        finish();
    }

    @Test
    void shouldRefuseImpossibleSizes() {
        map(0, 8, 0, true);
        final FileMapping mapping = emulation.space.vmas().lookup(BASE).file();
        assertThat(Truncator.truncate(emulation.cpu, mapping, -1)).isEqualTo(Errno.EINVAL);
        assertThat(Truncator.truncate(emulation.cpu, mapping, mapping.sizeLimit() + 1))
                .isEqualTo(Errno.EINVAL);
        assertThatThrownBy(() -> file.truncate(emulation.cpu, 100)).isInstanceOf(IllegalArgumentException.class);
        assertThat(file.size()).isEqualTo(8 * PAGE);
        emulation.process.mmapDriver(emulation.cpu, addr(20), PAGE, READ_WRITE);
        final FileMapping driver = emulation.space.vmas().lookup(addr(20)).file();
        assertThat(Truncator.truncate(emulation.cpu, driver, 0)).isEqualTo(Errno.EINVAL);
        finish();
    }

    /** CX and the recordings: an exclusive private copy goes, the device's mapping with it; the one before the end stays. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldTakeExclusiveCopiesAndTellTheDevice(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        map(0, 8, 0, false);
        fill(0, 4);
        final MirrorHandle device = emulation.open(0);
        final DeviceBuffer sink = DeviceBuffer.ofArray(new byte[(int) (4 * PAGE)]);
        assertThat(device.exclusive(emulation.cpu, BASE, 4, sink).errno()).isEqualTo(Errno.OK);

        truncate(2);
        assertThat(emulation.kind(1).isDeviceExclusive()).isTrue();
        assertGone(emulation, 2);
        assertThat(device.checkExclusive(emulation.cpu, addr(0), 2).errno()).isEqualTo(Errno.EPERM);
        assertThat(device.checkExclusive(emulation.cpu, addr(2), 2).errno()).isEqualTo(Errno.OK);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(2);
        assertThat(emulation.load(1)).isEqualTo(1001);
        emulation.assertSound();
        finish();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReachBothSidesOfAFork(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        map(0, 8, 0, false);
        fill(0, 8);
        final Process child = emulation.fork();
        truncate(5);
        for (long page = 5; page < 8; page++) {
            assertGone(emulation, page);
            assertThat(emulation.encoding.isNone(emulation.pte(child, page))).isTrue();
        }
        assertThat(emulation.process.rssAnonPages()).isEqualTo(5);
        assertThat(child.rssAnonPages()).isEqualTo(5);
        emulation.assertSound();
        child.exit(emulation.cpu);
        finish();
    }

    /** A fault that has its page already is not overtaken: its entry is cleared when the page lock is free. */
    @Test
    void shouldWaitForWhoeverHasAPageLocked() throws InterruptedException {
        map(0, 8, 0, true);
        fill(0, 8);
        final FileMapping mapping = emulation.space.vmas().lookup(BASE).file();
        final Task holder = emulation.machine.newTask("holder");
        final Task truncator = emulation.machine.newTask("truncator");
        final long pfn = mapping.lockPage(holder, 6);
        final Crew crew = new Crew();
        crew.start(
                "truncate", () -> assertThat(file.truncate(truncator, 4 * PAGE)).isEqualTo(Errno.OK));
        while (!emulation.frames.has(pfn, FrameTable.WAITERS)) {
            Thread.yield();
        }
        assertThat(mapping.isCached(5)).isFalse();
        assertThat(mapping.isCached(6)).isTrue();
        assertThat(mapping.lockPage(emulation.cpu, 7)).isEqualTo(FileMapping.BEYOND_END);
        // What a slow fault would do now, its page locked: map it.
        final long slot = emulation.space.pageTable().slot(addr(6));
        emulation.space.pageTable().lock(holder, slot);
        emulation.frames.get(pfn);
        emulation.space.reverseMap().add(pfn);
        emulation.space.rss(pfn).add(1);
        emulation.space.pageTable().store(slot, emulation.encoding.present(pfn, 0x25));
        emulation.space.pageTable().unlock(holder, slot);
        mapping.unlockPage(holder, pfn);
        crew.join();
        assertGone(emulation, 6);
        assertThat(emulation.process.rssShmemPages()).isEqualTo(4);
        emulation.assertSound();
        finish();
    }

    /** The size goes up and down while two processes touch, map and unmap; whatever is left fits the final size. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLeaveNothingBehindTheEndUnderRace(final SemanticProfile profile) throws InterruptedException {
        emulation = new Emulation(profile, 512, 256);
        file = emulation.machine.newFile(emulation.cpu, 8);
        final int rounds = 300;
        final Process[] processes = {emulation.process, emulation.machine.newProcess()};
        final Crew crew = new Crew();
        crew.startTogether(3, number -> {
            final Cpu cpu = emulation.machine.cpu(number);
            if (number == 2) {
                for (int i = 0; i < rounds; i++) {
                    assertThat(file.truncate(cpu, i % 3 * 3 * PAGE)).isEqualTo(Errno.OK);
                    Thread.yield();
                }
                return;
            }
            final Process process = processes[number];
            cpu.run(process);
            for (int i = 0; i < rounds; i++) {
                final boolean shared = (i + number) % 2 == 0;
                assertThat(process.mmapFile(cpu, BASE, 8 * PAGE, READ_WRITE, file, 0, shared))
                        .isEqualTo(Errno.OK);
                for (int page = 0; page < 8; page++) {
                    final Signal signal = page % 2 == 0 ? cpu.storeLong(addr(page), i) : cpu.loadLong(addr(page));
                    assertThat(signal).isIn(Signal.NONE, Signal.BUS_ADRERR);
                }
                if (i % 16 == 0) {
                    final Process.Forked forked = process.fork(cpu);
                    assertThat(forked.errno()).isEqualTo(Errno.OK);
                    forked.child().exit(cpu);
                }
                assertThat(process.munmap(cpu, addr(3), PAGE)).isEqualTo(Errno.OK);
                assertThat(process.munmap(cpu, BASE, 8 * PAGE)).isEqualTo(Errno.OK);
            }
        });
        crew.join();
        truncate(0);
        emulation.assertSound();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        emulation.machine.cpu(1).run(null);
        processes[1].exit(emulation.cpu);
        finish();
    }
}
