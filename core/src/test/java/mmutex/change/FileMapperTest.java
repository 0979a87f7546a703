package mmutex.change;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.File;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Mappings with a file behind them, through mmap, fork, mprotect, discard and munmap. */
class FileMapperTest {
    private Emulation emulation = new Emulation();

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private void mapShared(final long first, final long count) {
        assertThat(emulation.process.mmapShared(emulation.cpu, addr(first), count * PAGE, READ_WRITE))
                .isEqualTo(Errno.OK);
    }

    @Test
    void shouldRefuseWhatMmapRefuses() {
        final Process process = emulation.process;
        final Cpu cpu = emulation.cpu;
        mapShared(0, 2);
        assertThat(process.mmapShared(cpu, addr(1), PAGE, READ_WRITE)).isEqualTo(Errno.EEXIST);
        assertThat(process.mmapShared(cpu, BASE + 1, PAGE, READ_WRITE)).isEqualTo(Errno.EINVAL);
        assertThat(process.mmapShared(cpu, addr(5), 0, READ_WRITE)).isEqualTo(Errno.EINVAL);
        assertThat(process.mmapShared(cpu, emulation.space.addressLimit(), PAGE, READ))
                .isEqualTo(Errno.ENOMEM);
        final File file = emulation.machine.newFile(cpu, 1);
        assertThat(process.mmapFile(cpu, addr(1), PAGE, READ, file, 0, true)).isEqualTo(Errno.EEXIST);
        assertThat(process.mmapFile(cpu, addr(9), PAGE, READ, file, 5, true)).isEqualTo(Errno.EINVAL);
        assertThat(process.mmapFile(cpu, addr(9), PAGE, READ, file, -PAGE, true))
                .isEqualTo(Errno.EINVAL);
        assertThat(process.mmapDriver(cpu, addr(1), PAGE, READ)).isEqualTo(Errno.EEXIST);
        assertThat(process.mmapHuge(cpu, addr(1), PAGE, READ)).isEqualTo(Errno.EINVAL);
        file.close(cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldReportThatTablesAreOut() {
        emulation = new Emulation(SemanticProfile.K612, 256, 16);
        Errno errno = Errno.OK;
        long page = 0;
        while (errno == Errno.OK) {
            errno = emulation.process.mmapShared(emulation.cpu, addr(page++), PAGE, READ_WRITE);
        }
        assertThat(errno).isEqualTo(Errno.ENOMEM);
        assertThat(emulation.space.vmas().size()).isEqualTo(page - 1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldUnmapWhatADriverHasInsertedWhenMemoryIsOut() {
        emulation = new Emulation(SemanticProfile.K612, 16, 64);
        assertThat(emulation.process.mmapDriver(emulation.cpu, BASE, 100 * PAGE, READ))
                .isEqualTo(Errno.ENOMEM);
        assertThat(emulation.space.vmas().size()).isZero();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.process.rssFilePages()).isZero();
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldShareWithAForkedChildWithoutCopyingEntries(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        mapShared(0, 3);
        emulation.store(0, 5);
        emulation.store(1, 6);
        final List<Event> events = emulation.record();
        final Process child = emulation.fork();
        assertThat(events).isEmpty(); // not a COW mapping
        assertThat(emulation.encoding.isNone(emulation.pte(child, 0))).isTrue();
        assertThat(emulation.isWritable(0)).isTrue();
        final Cpu other = emulation.machine.cpu(1);
        other.run(child);
        assertThat(other.loadLong(addr(0))).isEqualTo(Signal.NONE);
        assertThat(other.value()).isEqualTo(5);
        assertThat(other.storeLong(addr(2), 9)).isEqualTo(Signal.NONE);
        assertThat(emulation.load(2)).isEqualTo(9);
        assertThat(child.rssShmemPages()).isEqualTo(3);
        emulation.assertCounts(0, 3, 2);
        emulation.assertSound();
        other.run(null);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    /** Once a private mapping has copies, all its entries are copied, those of the file's pages as well. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyFilePagesOfAPrivateMappingWithCopies(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        final File file = emulation.machine.newFile(emulation.cpu, 3);
        file.write(emulation.cpu, 0, new byte[(int) (3 * PAGE)]);
        emulation.process.mmapFile(emulation.cpu, BASE, 3 * PAGE, READ_WRITE, file, 0, false);
        emulation.load(0);
        Process child = emulation.fork();
        assertThat(emulation.encoding.isNone(emulation.pte(child, 0))).isTrue(); // faults fill it in
        child.exit(emulation.cpu);

        emulation.store(1, 4);
        child = emulation.fork();
        assertThat(emulation.frame(child, 0)).isEqualTo(emulation.frame(0));
        emulation.assertCounts(0, 3, 2);
        emulation.assertCounts(1, 2, 2);
        assertThat(child.rssShmemPages()).isEqualTo(2);
        assertThat(child.rssAnonPages()).isEqualTo(1);
        emulation.store(1, 5);
        emulation.store(0, 6);
        emulation.assertSound();
        child.exit(emulation.cpu);
        file.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCopyADriversPagesAtFork() {
        emulation.process.mmapDriver(emulation.cpu, BASE, 2 * PAGE, READ_WRITE);
        final Process child = emulation.fork();
        assertThat(emulation.frame(child, 1)).isEqualTo(emulation.frame(1));
        emulation.assertCounts(1, 2, 2);
        assertThat(child.rssFilePages()).isEqualTo(2);
        emulation.store(1, 4);
        emulation.assertSound();
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldKeepThePagesOfSharedMemoryWhenDiscarded() {
        mapShared(0, 2);
        emulation.store(0, 5);
        final List<Event> events = emulation.record();
        assertThat(emulation.process.madvise(emulation.cpu, BASE, 2 * PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);
        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, 2, 0));
        assertThat(emulation.process.rssShmemPages()).isZero();
        assertThat(emulation.load(0)).isEqualTo(5);
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.WIPEONFORK))
                .isEqualTo(Errno.EINVAL);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMakeSharedPagesWritableAtOnceByMprotect(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        mapShared(0, 2);
        emulation.store(0, 5);
        emulation.protect(0, 2, READ);
        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.cpu.storeLong(BASE, 6)).isEqualTo(Signal.SEGV_ACCERR);
        emulation.protect(0, 2, READ_WRITE);
        assertThat(emulation.isWritable(0)).isTrue(); // the base protection of a shared mapping
        assertThat(emulation.space.vmas().lookup(BASE).has(VmFlags.ACCOUNT)).isFalse();
        emulation.assertNothingIsLeft();
    }

    /** The old range stays mapped, and finds the same page again. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldFindASharedPageAtBothPlacesOfAMoveThatKeepsTheOld(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        mapShared(0, 2);
        emulation.store(1, 5);
        assertThat(emulation.process.mremap(emulation.cpu, BASE, 2 * PAGE, addr(1000), true))
                .isEqualTo(Errno.OK);
        assertThat(emulation.encoding.isNone(emulation.pte(1))).isTrue();
        assertThat(emulation.load(1001)).isEqualTo(5);
        emulation.store(1, 6);
        assertThat(emulation.load(1001)).isEqualTo(6);
        emulation.assertCounts(1, 3, 2);
        assertThat(emulation.process.rssShmemPages()).isEqualTo(2);
        emulation.assertSound();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldMoveAPrivateFileMappingWithItsPlaceInTheFile() {
        final File file = emulation.machine.newFile(emulation.cpu, 4);
        emulation.process.mmapFile(emulation.cpu, BASE, 4 * PAGE, READ_WRITE, file, 0, false);
        file.write(emulation.cpu, 3 * PAGE, new byte[] {9});
        assertThat(emulation.process.mremap(emulation.cpu, addr(2), 2 * PAGE, addr(20), false))
                .isEqualTo(Errno.OK);
        assertThat(emulation.load(21)).isEqualTo(9); // page 3 still, although no page had been touched
        emulation.store(20, 1);
        assertThat(file.truncate(emulation.cpu, 2 * PAGE)).isEqualTo(Errno.OK);
        assertThat(emulation.cpu.loadLong(addr(20))).isEqualTo(Signal.BUS_ADRERR);
        emulation.assertSound();
        file.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldSayThatACachedPageIsResident() {
        mapShared(0, 3);
        emulation.store(1, 5);
        emulation.process.madvise(emulation.cpu, BASE, 3 * PAGE, Advice.DONTNEED);
        final byte[] vec = new byte[3];
        assertThat(emulation.process.mincore(emulation.cpu, BASE, 3, vec)).isEqualTo(Errno.OK);
        assertThat(vec).containsExactly(0, 1, 0);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldRefuseAdviceForAnonymousMemory() {
        final File file = emulation.machine.newFile(emulation.cpu, 1);
        emulation.process.mmapFile(emulation.cpu, BASE, PAGE, READ_WRITE, file, 0, false);
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.FREE))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.WIPEONFORK))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.COLD))
                .isEqualTo(Errno.OK);
        file.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldForgetAnUnnamedFileWithItsLastMapping() {
        mapShared(0, 4);
        emulation.store(0, 1);
        emulation.store(3, 1);
        final Process child = emulation.fork();
        emulation.process.munmap(emulation.cpu, BASE, 4 * PAGE);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(2);
        child.munmap(emulation.cpu, addr(1), 2 * PAGE);
        assertThat(emulation.platform.files()).hasSize(1);
        child.exit(emulation.cpu);
        assertThat(emulation.platform.files()).isEmpty();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        emulation.assertNothingIsLeft();
    }
}
