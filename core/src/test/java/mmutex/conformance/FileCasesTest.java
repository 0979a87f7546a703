package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import mmutex.conformance.Rig.Event;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.File;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernel selftest's cases on shared, file, driver and huge-page memory: the rest of CX-7, CH-7, CH-9 to CH-11, CH-21,
 * CH-23, and CH-13 and CH-16, which end in a migration; with B11's scene, a frame mapped twice.
 */
@Timeout(60)
class FileCasesTest {
    private static final int PAGES = 1024;
    private static final int HUGE = 512;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static Errno refused(final SemanticProfile profile) {
        return profile.deviceReportsErrno() ? Errno.EOPNOTSUPP : Errno.EBUSY;
    }

    private static DeviceBuffer sink(final int pages) {
        return DeviceBuffer.ofArray(new byte[pages * Rig.PAGE]);
    }

    private static void mapShared(final Rig rig, final int pages) {
        assertThat(rig.process.mmapShared(rig.cpu, Rig.BUFFER, (long) pages * Rig.PAGE, Rig.RW))
                .isEqualTo(Errno.OK);
    }

    private static File mapFile(final Rig rig, final int pages, final long protection, final boolean shared) {
        final File file = rig.machine.newFile(rig.cpu, pages);
        assertThat(file.write(rig.cpu, 0, Rig.pattern(pages, 0))).isEqualTo(Errno.OK);
        final long length = (long) pages * Rig.PAGE;
        assertThat(rig.process.mmapFile(rig.cpu, Rig.BUFFER, length, protection, file, 0, shared))
                .isEqualTo(Errno.OK);
        return file;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx7SharedAnonymousPages(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        mapShared(rig, 2);
        final Result result = rig.device().exclusive(rig.cpu, Rig.BUFFER, 2, sink(2));
        if (profile.makeAcceptsShared()) {
            assertThat(result).isEqualTo(new Result(Errno.OK, 2, 0));
            assertThat(rig.kind(0)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
            assertThat(rig.state(0).mapCount()).isZero();
            assertThat(rig.refCount(0)).isEqualTo(2); // the entry's and the page cache's
            assertThat(rig.process.rssShmemPages()).isEqualTo(2);
            rig.checker().now(rig.cpu).orThrow();
            assertThat(rig.cpu.storeInt(Rig.BUFFER, 9)).isEqualTo(Signal.NONE);
            assertThat(rig.state(0).mapCount()).isEqualTo(1);
            assertThat(rig.deviceMaps(rig.device(), 0)).isFalse();
        } else {
            assertThat(result.errno()).isEqualTo(refused(profile));
            assertThat(rig.kind(0)).isEqualTo(PteKind.PRESENT); // GUP has faulted it in
            assertThat(rig.kind(1)).isEqualTo(profile.makeOnePage() ? PteKind.NONE : PteKind.PRESENT);
            assertThat(rig.isWritable(0)).isTrue();
            assertThat(rig.device().checkExclusive(rig.cpu, Rig.BUFFER, 2).errno())
                    .isEqualTo(Errno.OK);
        }
        rig.closeAndCheckClean(2);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx7FilePages(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        final File shared = mapFile(rig, 2, Rig.RW, true);
        rig.cpu.loadInt(Rig.BUFFER);
        final Errno errno =
                rig.device().exclusive(rig.cpu, Rig.BUFFER, 2, sink(2)).errno();
        assertThat(errno).isEqualTo(profile.makeAcceptsShared() ? Errno.OK : refused(profile));
        rig.process.munmap(rig.cpu, Rig.BUFFER, 2L * Rig.PAGE);
        shared.close(rig.cpu);

        // A private mapping gives the device a copy, in every profile.
        final File file = mapFile(rig, 2, Rig.RW, false);
        rig.cpu.loadInt(Rig.BUFFER);
        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, 2, sink(2))).isEqualTo(new Result(Errno.OK, 2, 0));
        assertThat(rig.kind(0).isDeviceExclusive()).isTrue();
        assertThat(rig.state(0).file()).isFalse();
        assertThat(rig.process.rssAnonPages()).isEqualTo(2);
        rig.expectPattern(rig.cpu, 2, 0);
        rig.process.munmap(rig.cpu, Rig.BUFFER, 2L * Rig.PAGE);
        file.close(rig.cpu);

        // Read-only: refused before anything happens.
        final File readOnly = mapFile(rig, 1, VmFlags.READ, false);
        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, 1, sink(1)).errno())
                .isEqualTo(profile.deviceReportsErrno() ? Errno.EFAULT : Errno.EBUSY);
        assertThat(rig.kind(0)).isEqualTo(PteKind.NONE);
        readOnly.close(rig.cpu);
        rig.closeAndCheckClean(2);
    }

    /** B11's scene: whoever converts one mapping of a frame only leaves the other one writable. */
    @ParameterizedTest
    @MethodSource("profiles")
    void b11FrameMappedTwice(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        final File file = mapFile(rig, 2, Rig.RW, true);
        final long alias = rig.addr(16);
        rig.process.mmapFile(rig.cpu, alias, 2L * Rig.PAGE, Rig.RW, file, 0, true);
        final Process second = rig.machine.newProcess();
        rig.other.run(second);
        second.mmapFile(rig.other, Rig.BUFFER, 2L * Rig.PAGE, VmFlags.READ, file, 0, false);
        rig.cpu.storeInt(rig.addr(1), 5);
        rig.cpu.loadInt(alias + Rig.PAGE);
        rig.other.loadInt(rig.addr(1));
        final long pfn = rig.state(1).frame();
        final FrameTable frames = rig.machine.platform().frames();
        assertThat(frames.mapCount(pfn)).isEqualTo(3);

        rig.drainEvents();
        final Errno errno =
                rig.device().exclusive(rig.cpu, rig.addr(1), 1, sink(1)).errno();
        if (profile.makeAcceptsShared()) {
            assertThat(errno).isEqualTo(Errno.OK);
            assertThat(rig.kind(1)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
            assertThat(rig.kind(17)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
            assertThat(second.pagemap(rig.other, rig.addr(1)).kind()).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
            assertThat(frames.mapCount(pfn)).isZero();
            assertThat(frames.refCount(pfn)).isEqualTo(4);
            // Told of both addresses here; by the order of the file's pages, then of mapping.
            assertThat(rig.drainEvents())
                    .containsExactly(
                            new Event(profile.makeEvent(), 1, 2, 0), new Event(profile.makeEvent(), 17, 18, 0));
            rig.checker().now(rig.cpu).orThrow();
            rig.other.loadInt(rig.addr(1));
            assertThat(rig.other.value()).isEqualTo(5);
            assertThat(rig.kind(1)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE); // each mapping is restored by itself
        } else {
            assertThat(errno).isEqualTo(refused(profile));
            assertThat(frames.mapCount(pfn)).isEqualTo(3);
            assertThat(rig.drainEvents()).isEmpty();
        }
        rig.checker().atQuiescence(rig.cpu).orThrow();
        rig.other.run(null);
        second.exit(rig.cpu);
        file.close(rig.cpu);
        rig.closeAndCheckClean(20);
    }

    /** What make returns to a driver, not only to the test device. */
    @ParameterizedTest
    @MethodSource("profiles")
    void cn8MakeOfSharedMemory(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 0);
        mapShared(rig, 1);
        rig.process.space().mmapLock().readLock(rig.cpu);
        final long[] pages = new long[1];
        if (profile.makeOnePage()) {
            assertThat(ExclusiveMaker.makeOne(rig.cpu, rig.process.space(), Rig.BUFFER, 9))
                    .isEqualTo(-Errno.EOPNOTSUPP.ordinal());
        } else {
            assertThat(ExclusiveMaker.makeRange(rig.cpu, rig.process.space(), Rig.BUFFER, 1, 9, pages))
                    .isEqualTo(1);
            assertThat(pages[0] != ExclusiveMaker.NULL_SLOT).isEqualTo(profile.makeAcceptsShared());
            if (pages[0] != ExclusiveMaker.NULL_SLOT) {
                rig.machine.platform().pageLock().unlock(rig.cpu, pages[0]);
                rig.machine.platform().putPage(pages[0]);
            }
        }
        rig.process.space().mmapLock().readUnlock(rig.cpu);
        rig.closeAndCheckClean(1);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch7AnonWriteChildShared(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        mapShared(rig, PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final Process child = rig.process.fork(rig.cpu).child();
        rig.other.run(child);
        final MirrorHandle own = rig.machine.newMirrorDevice(1).open(rig.other, child.space());
        rig.expectPattern(rig.other, PAGES, 0);
        assertThat(own.write(rig.other, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(Rig.pattern(PAGES, 7))))
                .isEqualTo(new Result(Errno.OK, PAGES, 1));
        rig.expectPattern(rig.other, PAGES, 7);
        rig.expectPattern(rig.cpu, PAGES, 7); // the parent sees it
        rig.checker().atQuiescence(rig.cpu).orThrow();
        own.close(rig.other);
        rig.other.run(null);
        child.exit(rig.cpu);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch9AnonWriteHugetlbfs(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        final int pages = 2 * HUGE;
        assertThat(rig.machine.reserveHugePages(rig.cpu, 2)).isTrue();
        assertThat(rig.process.mmapHuge(rig.cpu, Rig.BUFFER, (long) pages * Rig.PAGE, Rig.RW))
                .isEqualTo(Errno.OK);
        assertThat(rig.device().write(rig.cpu, Rig.BUFFER, pages, DeviceBuffer.ofArray(Rig.pattern(pages, 3))))
                .isEqualTo(new Result(Errno.OK, pages, 1));
        rig.expectPattern(rig.cpu, pages, 3);
        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, 1, sink(1)).errno())
                .isEqualTo(refused(profile));
        assertHugePagesAreGivenBack(rig, pages);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch23Compound(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        assertThat(rig.machine.reserveHugePages(rig.cpu, 1)).isTrue();
        rig.process.mmapHuge(rig.cpu, Rig.BUFFER, (long) HUGE * Rig.PAGE, Rig.RW);
        rig.writePattern(rig.cpu, HUGE, 0);
        assertSnapshot(rig, MirrorHandle.PERM_WRITE | MirrorHandle.PERM_PMD);
        assertThat(rig.process.mprotect(rig.cpu, Rig.BUFFER, (long) HUGE * Rig.PAGE, VmFlags.READ))
                .isEqualTo(Errno.OK);
        assertSnapshot(rig, MirrorHandle.PERM_READ | MirrorHandle.PERM_PMD);
        rig.expectPattern(rig.cpu, HUGE, 0);
        assertHugePagesAreGivenBack(rig, HUGE);
    }

    private static void assertSnapshot(final Rig rig, final int code) {
        final byte[] codes = new byte[HUGE];
        assertThat(rig.device().snapshot(rig.cpu, Rig.BUFFER, HUGE, DeviceBuffer.ofArray(codes)))
                .isEqualTo(new Result(Errno.OK, HUGE, 0));
        final byte[] expected = new byte[HUGE];
        Arrays.fill(expected, (byte) code);
        assertThat(codes).isEqualTo(expected);
    }

    private static void assertHugePagesAreGivenBack(final Rig rig, final int pages) {
        rig.checker().atQuiescence(rig.cpu).orThrow();
        rig.process.munmap(rig.cpu, Rig.BUFFER, (long) pages * Rig.PAGE);
        rig.checker().atQuiescence(rig.cpu).orThrow();
        assertThat(rig.machine.platform().hugePages().free(rig.cpu)).isEqualTo(pages / HUGE);
        assertThat(rig.machine.platform().allocator().inUse()).isEqualTo(pages);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch10FileRead(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        final File file = mapFile(rig, PAGES, VmFlags.READ, true);
        final byte[] mirror = new byte[PAGES * Rig.PAGE];
        assertThat(rig.device().read(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                .isEqualTo(new Result(Errno.OK, PAGES, 1));
        Rig.expectPattern(mirror, 0);
        file.close(rig.cpu);
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch11FileWrite(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        final File file = mapFile(rig, PAGES, Rig.RW, true);
        assertThat(rig.device().write(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(Rig.pattern(PAGES, 9))))
                .isEqualTo(new Result(Errno.OK, PAGES, 1));
        rig.expectPattern(rig.cpu, PAGES, 9);
        final byte[] content = new byte[PAGES * Rig.PAGE];
        assertThat(file.read(rig.cpu, 0, content)).isEqualTo(Errno.OK);
        Rig.expectPattern(content, 9);
        file.close(rig.cpu);
        rig.closeAndCheckClean(PAGES);
    }

    /** What the CPU wrote through a private mapping is anonymous, and so can migrate. */
    @ParameterizedTest
    @MethodSource("profiles")
    void ch13MigrateFilePrivate(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        final File file = mapFile(rig, PAGES, Rig.RW, false);
        rig.writePattern(rig.cpu, PAGES, 4);
        assertThat(rig.process.rssAnonPages()).isEqualTo(PAGES);
        assertThat(rig.process.rssShmemPages()).isZero();
        for (int page = 0; page < PAGES; page++) {
            assertThat(rig.state(page).file()).isFalse();
            assertThat(rig.refCount(page)).isEqualTo(1);
            assertThat(rig.isWritable(page)).isTrue();
        }
        final byte[] mirror = new byte[PAGES * Rig.PAGE];
        assertThat(rig.device().migrateToDevice(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(mirror)))
                .isEqualTo(new Result(Errno.OK, PAGES, 0));
        Rig.expectPattern(mirror, 4);
        assertThat(rig.kind(0).isDevicePrivate()).isTrue();
        rig.expectPattern(rig.cpu, PAGES, 4);
        file.close(rig.cpu);
        rig.closeAndCheckClean(PAGES);
    }

    /** There is nothing in untouched shared memory that could migrate or that a device maps. */
    @ParameterizedTest
    @MethodSource("profiles")
    void ch16MigrateShared(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        mapShared(rig, PAGES);
        final byte[] codes = new byte[PAGES];
        assertThat(rig.device()
                        .snapshot(rig.cpu, Rig.BUFFER, PAGES, DeviceBuffer.ofArray(codes))
                        .errno())
                .isEqualTo(Errno.OK);
        assertThat(codes).isEqualTo(new byte[PAGES]); // PERM_NONE
        assertThat(rig.device()
                        .migrateToDevice(rig.cpu, Rig.BUFFER, PAGES, sink(PAGES))
                        .errno())
                .isEqualTo(Errno.ENOENT);
        assertThat(rig.machine.platform().allocator().inUse()).isZero();
        rig.closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch21Mixedmap(final SemanticProfile profile) {
        final Rig rig = new Rig(profile, 1);
        assertThat(rig.process.mmapDriver(rig.cpu, Rig.BUFFER, Rig.PAGE, Rig.RW))
                .isEqualTo(Errno.OK);
        final byte[] codes = new byte[1];
        assertThat(rig.device().snapshot(rig.cpu, Rig.BUFFER, 1, DeviceBuffer.ofArray(codes)))
                .isEqualTo(new Result(Errno.OK, 1, 0));
        assertThat(codes[0]).isEqualTo((byte) MirrorHandle.PERM_READ);
        assertThat(rig.state(0).file()).isTrue();
        assertThat(rig.process.rssFilePages()).isEqualTo(1);
        // And the device gets a copy for itself.
        assertThat(rig.device().exclusive(rig.cpu, Rig.BUFFER, 1, sink(1)).errno())
                .isEqualTo(Errno.OK);
        assertThat(rig.state(0).file()).isFalse();
        rig.closeAndCheckClean(1);
    }
}
