package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.conformance.Rig.Event;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.fault.GupFlags;
import mmutex.fault.PageGetter;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernel selftest's cases on device-private memory, CH-12, 14, 15, 17, 18, 22, 24 to 26 and CX-8, in every profile, with
 * what they imply beyond the kernel's own assertions; and what the test device does at its limits.
 */
@Timeout(60)
class MigrationCasesTest {
    private static final int PAGES = 1024;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private Rig rig;

    private void begin(final SemanticProfile profile, final int devices) {
        rig = new Rig(profile, devices);
    }

    private MirrorHandle device(final int number) {
        return rig.devices.get(number);
    }

    private Result migrate(final int number, final int page, final int pages) {
        return migrate(number, page, pages, new byte[pages * Rig.PAGE]);
    }

    private Result migrate(final int number, final int page, final int pages, final byte[] mirror) {
        return device(number).migrateToDevice(rig.cpu, rig.addr(page), pages, DeviceBuffer.ofArray(mirror));
    }

    private Result read(final int number, final int pages, final byte[] mirror) {
        return device(number).read(rig.cpu, Rig.BUFFER, pages, DeviceBuffer.ofArray(mirror));
    }

    private byte[] snapshot(final int number, final int pages) {
        final byte[] codes = new byte[pages];
        assertThat(device(number).snapshot(rig.cpu, Rig.BUFFER, pages, DeviceBuffer.ofArray(codes)))
                .isEqualTo(new Result(Errno.OK, pages, 0));
        return codes;
    }

    private void protect(final int page, final int pages, final long protection) {
        assertThat(rig.process.mprotect(rig.cpu, rig.addr(page), (long) pages * Rig.PAGE, protection))
                .isEqualTo(Errno.OK);
    }

    private void expectKinds(final int page, final int pages, final PteKind kind) {
        for (int i = page; i < page + pages; i++) {
            assertThat(rig.kind(i)).as("page %d", i).isEqualTo(kind);
        }
    }

    private void closeAndCheckClean(final int pages) {
        final List<MirrorHandle> handles = List.copyOf(rig.devices);
        rig.closeAndCheckClean(pages);
        handles.forEach(handle -> assertThat(handle.device().memory().inUse())
                .as("pages left in the device")
                .isZero());
    }

    // ---- the selftest -----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void ch12Migrate(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        final byte[] mirror = new byte[PAGES * Rig.PAGE];

        assertThat(migrate(0, 0, PAGES, mirror)).isEqualTo(new Result(Errno.OK, PAGES, 0));

        Rig.expectPattern(mirror, 0);
        expectKinds(0, PAGES, PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(rig.process.rssAnonPages()).isEqualTo(PAGES);
        assertThat(device(0).device().memory().inUse()).isEqualTo(PAGES);
        closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch14MigrateAndFaultBack(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        assertThat(migrate(0, 0, PAGES)).isEqualTo(new Result(Errno.OK, PAGES, 0));
        final long[] frames = rig.frames(PAGES);
        rig.drainEvents();

        rig.expectPattern(rig.cpu, PAGES / 2, 0);
        final List<Event> events = rig.drainEvents();
        assertThat(events).hasSize(PAGES / 2);
        assertThat(events.get(7)).isEqualTo(new Event(NotifierEvent.MIGRATE, 7, 8, 0));
        expectKinds(0, PAGES / 2, PteKind.PRESENT);
        expectKinds(PAGES / 2, PAGES / 2, PteKind.DEVICE_PRIVATE_WRITE);
        final byte[] mirror = new byte[PAGES * Rig.PAGE];

        assertThat(migrate(0, 0, PAGES, mirror)).isEqualTo(new Result(Errno.OK, PAGES, 0));

        Rig.expectPattern(mirror, 0);
        expectKinds(0, PAGES, PteKind.DEVICE_PRIVATE_WRITE);
        for (int page = PAGES / 2; page < PAGES; page++) {
            assertThat(rig.state(page).frame()).isEqualTo(frames[page]);
        }
        closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch15MigrateAndRelease(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(PAGES);
        rig.writePattern(rig.cpu, PAGES, 0);
        assertThat(migrate(0, 0, PAGES).errno()).isEqualTo(Errno.OK);
        rig.drainEvents();

        assertThat(device(0).release(rig.cpu, Rig.BUFFER, PAGES)).isEqualTo(new Result(Errno.OK, 0, 0));

        assertThat(rig.drainEvents())
                .hasSize(PAGES)
                .allMatch(event -> event.event() == NotifierEvent.CLEAR && event.endPage() == event.startPage() + 1);
        expectKinds(0, PAGES, PteKind.PRESENT);
        assertThat(device(0).device().memory().inUse()).isZero();
        assertThat(device(0).device().memory().capacity()).isZero();
        rig.expectPattern(rig.cpu, PAGES, 0);
        assertThat(migrate(0, 0, 4).errno()).isEqualTo(Errno.OK); // gets memory again
        closeAndCheckClean(PAGES);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch17MigrateMixed(final SemanticProfile profile) {
        begin(profile, 2);
        assertThat(rig.process.mmap(rig.cpu, Rig.BUFFER, 6L * Rig.PAGE, 0)).isEqualTo(Errno.OK);
        assertThat(migrate(1, 0, 6).errno()).isEqualTo(Errno.EINVAL); // not readable
        rig.process.munmap(rig.cpu, rig.addr(1), Rig.PAGE);
        assertThat(migrate(1, 0, 3).errno()).isEqualTo(Errno.EINVAL); // a hole
        protect(2, 1, VmFlags.READ);
        rig.cpu.loadInt(rig.addr(2));
        protect(3, 3, Rig.RW);
        for (int page = 3; page < 6; page++) {
            rig.cpu.storeInt(rig.addr(page), page);
        }
        protect(3, 1, VmFlags.READ);

        assertThat(migrate(1, 2, 4)).isEqualTo(new Result(Errno.OK, 4, 0));

        expectKinds(2, 2, PteKind.DEVICE_PRIVATE_READ);
        expectKinds(4, 2, PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(migrate(0, 5, 1).errno()).isEqualTo(Errno.ENOENT); // lives on device 1
        for (int page = 3; page < 6; page++) {
            rig.cpu.loadInt(rig.addr(page));
            assertThat(rig.cpu.value()).isEqualTo(page);
        }
        closeAndCheckClean(6);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch18MigrateMultiple(final SemanticProfile profile) {
        begin(profile, 1);
        final int pages = PAGES;
        for (int round = 0; round < 10; round++) {
            rig.map(pages);
            rig.writePattern(rig.cpu, pages, round);
            final byte[] mirror = new byte[pages * Rig.PAGE];
            assertThat(migrate(0, 0, pages, mirror)).isEqualTo(new Result(Errno.OK, pages, 0));
            Rig.expectPattern(mirror, round);
            if (round % 2 == 0) {
                assertThat(device(0).migrateToSystem(rig.cpu, Rig.BUFFER, pages))
                        .isEqualTo(new Result(Errno.OK, pages, 0));
                expectKinds(0, pages, PteKind.PRESENT);
            }
            rig.expectPattern(rig.cpu, pages, round);
            rig.process.munmap(rig.cpu, Rig.BUFFER, (long) pages * Rig.PAGE);
        }
        closeAndCheckClean(pages);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch22Snapshot(final SemanticProfile profile) {
        begin(profile, 2);
        assertThat(rig.process.mmap(rig.cpu, Rig.BUFFER, 7L * Rig.PAGE, 0)).isEqualTo(Errno.OK);
        rig.process.munmap(rig.cpu, rig.addr(1), Rig.PAGE);
        protect(2, 1, VmFlags.READ);
        rig.cpu.loadInt(rig.addr(2));
        protect(3, 4, Rig.RW);
        rig.cpu.storeInt(rig.addr(3), 1);
        protect(3, 1, VmFlags.READ);
        for (int page = 4; page < 7; page++) {
            rig.cpu.storeInt(rig.addr(page), page);
        }
        assertThat(migrate(0, 5, 1).errno()).isEqualTo(Errno.OK);
        assertThat(migrate(1, 6, 1).errno()).isEqualTo(Errno.OK);
        rig.drainEvents();

        assertThat(snapshot(0, 7))
                .containsExactly(
                        MirrorHandle.PERM_ERROR,
                        MirrorHandle.PERM_ERROR,
                        MirrorHandle.PERM_ZERO | MirrorHandle.PERM_READ,
                        MirrorHandle.PERM_READ,
                        MirrorHandle.PERM_WRITE,
                        MirrorHandle.PERM_DEV_PRIVATE_LOCAL | MirrorHandle.PERM_WRITE,
                        MirrorHandle.PERM_NONE);
        assertThat(rig.drainEvents()).isEmpty();
        closeAndCheckClean(7);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch24DoubleMap(final SemanticProfile profile) {
        begin(profile, 2);
        rig.map(6);
        rig.writePattern(rig.cpu, 6, 0);
        protect(0, 6, VmFlags.READ);
        final byte[] mirror = new byte[6 * Rig.PAGE];
        assertThat(read(0, 6, mirror)).isEqualTo(new Result(Errno.OK, 6, 1));
        Rig.expectPattern(mirror, 0);
        assertThat(read(1, 6, mirror)).isEqualTo(new Result(Errno.OK, 6, 1));

        assertThat(migrate(1, 0, 6)).isEqualTo(new Result(Errno.OK, 6, 0));
        assertThat(rig.deviceMaps(device(0), 0)).isFalse(); // its MIGRATE event names another owner
        assertThat(read(0, 6, mirror)).isEqualTo(new Result(Errno.OK, 6, 1)); // faults the pages back

        Rig.expectPattern(mirror, 0);
        expectKinds(0, 6, PteKind.PRESENT);
        assertThat(rig.deviceMaps(device(1), 0)).isFalse();
        rig.expectPattern(rig.cpu, 6, 0);
        closeAndCheckClean(6);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch25PageGetting(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(4);
        rig.writePattern(rig.cpu, 4, 0);
        assertThat(migrate(0, 0, 4)).isEqualTo(new Result(Errno.OK, 4, 0));
        final long[] frames = new long[4];

        // Two references, as of a plain and a fast get_user_pages, and two long-term pins.
        rig.process.space().mmapLock().readLock(rig.cpu);
        for (int page = 0; page < 4; page++) {
            final int flags = GupFlags.WRITE | (page < 2 ? 0 : GupFlags.PIN);
            final long[] frame = new long[1];
            assertThat(PageGetter.getPages(rig.cpu, rig.process.space(), rig.addr(page), 1, flags, frame))
                    .isEqualTo(1);
            frames[page] = frame[0];
        }
        rig.process.space().mmapLock().readUnlock(rig.cpu);

        assertThat(snapshot(0, 4)).containsOnly(MirrorHandle.PERM_WRITE);
        final Platform platform = rig.machine.platform();
        for (int page = 0; page < 4; page++) {
            assertThat(rig.kind(page)).isEqualTo(PteKind.PRESENT);
            assertThat(frames[page]).isEqualTo(rig.state(page).frame());
            assertThat(platform.frames().isMaybePinned(frames[page])).isEqualTo(page >= 2);
            if (page < 2) {
                assertThat(rig.refCount(page)).isEqualTo(2);
                platform.putPage(frames[page]);
            } else {
                platform.allocator().unpin(frames[page]);
            }
        }
        rig.expectPattern(rig.cpu, 4, 0);
        closeAndCheckClean(4);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void ch26CopyOnWriteInTheDevice(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(4);
        rig.writePattern(rig.cpu, 4, 0);
        assertThat(migrate(0, 0, 4)).isEqualTo(new Result(Errno.OK, 4, 0));
        final Process child = rig.process.fork(rig.cpu).child();
        expectKinds(0, 4, PteKind.DEVICE_PRIVATE_READ);

        rig.incrementPattern(rig.cpu, 4, 0);

        rig.other.run(child);
        rig.expectPattern(rig.other, 4, 0);
        rig.other.run(null);
        child.exit(rig.other);
        assertThat(snapshot(0, 4)).containsOnly(MirrorHandle.PERM_WRITE);
        rig.expectPattern(rig.cpu, 4, 1);
        closeAndCheckClean(4);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void cx8ExclusiveAndMigration(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(8);
        rig.writePattern(rig.cpu, 8, 0);
        final byte[] mirror = new byte[8 * Rig.PAGE];
        assertThat(device(0)
                        .exclusive(rig.cpu, Rig.BUFFER, 8, DeviceBuffer.ofArray(mirror))
                        .errno())
                .isEqualTo(Errno.OK);
        final PteKind exclusive = rig.kind(0);

        // Read through the atomic mappings; no page has moved (Q13).
        assertThat(migrate(0, 0, 8, mirror)).isEqualTo(new Result(Errno.OK, 8, 0));
        Rig.expectPattern(mirror, 0);
        expectKinds(0, 8, exclusive);
        assertThat(device(0).device().memory().inUse()).isZero();

        for (int page = 4; page < 8; page++) {
            rig.cpu.loadInt(rig.addr(page));
        }
        assertThat(migrate(0, 0, 8, mirror)).isEqualTo(new Result(Errno.OK, 8, 0));
        Rig.expectPattern(mirror, 0);
        expectKinds(0, 4, exclusive);
        expectKinds(4, 4, PteKind.DEVICE_PRIVATE_WRITE);
        closeAndCheckClean(8);
    }

    /** Q7: restoring page 3 has taken page 4 from the device's table as well. */
    @ParameterizedTest
    @MethodSource("profiles")
    void cx8ExclusiveAndMigrationWithTheFirstPagesTouched(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(8);
        rig.writePattern(rig.cpu, 8, 0);
        assertThat(device(0)
                        .exclusive(rig.cpu, Rig.BUFFER, 8, DeviceBuffer.ofArray(new byte[8 * Rig.PAGE]))
                        .errno())
                .isEqualTo(Errno.OK);
        for (int page = 0; page < 4; page++) {
            rig.cpu.loadInt(rig.addr(page));
        }

        assertThat(migrate(0, 0, 8).errno()).isEqualTo(Errno.ENOENT);

        expectKinds(0, 4, PteKind.DEVICE_PRIVATE_WRITE);
        assertThat(rig.kind(4).isDeviceExclusive()).isTrue();
        closeAndCheckClean(8);
    }

    // ---- the device's limits ----------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveWhatItHasMemoryFor(final SemanticProfile profile) {
        begin(profile, 0);
        rig.devices.add(rig.machine.newMirrorDevice(0, 3).open(rig.cpu, rig.process.space()));
        rig.map(8);
        rig.writePattern(rig.cpu, 8, 0);

        assertThat(migrate(0, 0, 8).errno()).isEqualTo(Errno.ENOENT);
        expectKinds(0, 3, PteKind.DEVICE_PRIVATE_WRITE);
        expectKinds(3, 5, PteKind.PRESENT);

        // What the device maps already counts as read, wherever it is.
        assertThat(read(0, 8, new byte[8 * Rig.PAGE])).isEqualTo(new Result(Errno.OK, 8, 1));
        assertThat(migrate(0, 0, 8)).isEqualTo(new Result(Errno.OK, 8, 0));
        expectKinds(3, 5, PteKind.PRESENT);
        rig.expectPattern(rig.cpu, 8, 0);
        closeAndCheckClean(8);
    }

    /** Q17: here the kernel's driver would follow the device page into nowhere. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReachItsOwnPageWithoutAnEntry(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(4);
        rig.writePattern(rig.cpu, 4, 0);
        assertThat(migrate(0, 2, 2).errno()).isEqualTo(Errno.OK);
        protect(1, 1, VmFlags.READ); // erases page 2 from the device's table, too (Q7)
        assertThat(rig.deviceMaps(device(0), 2)).isFalse();
        final byte[] mirror = new byte[4 * Rig.PAGE];

        assertThat(read(0, 4, mirror)).isEqualTo(new Result(Errno.OK, 4, 1));

        Rig.expectPattern(mirror, 0);
        expectKinds(2, 2, PteKind.DEVICE_PRIVATE_WRITE);
        final byte[] other = Rig.pattern(2, 5000);
        assertThat(device(0)
                        .write(rig.cpu, rig.addr(2), 2, DeviceBuffer.ofArray(other))
                        .errno())
                .isEqualTo(Errno.OK);
        rig.cpu.loadInt(rig.addr(2));
        assertThat(rig.cpu.value()).isEqualTo(5000);
        closeAndCheckClean(4);
    }

    /** Q12: hmm_range_fault returns it as it is, and the driver has no use for it. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldNotWriteItsOwnReadOnlyPage(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(1);
        rig.writePattern(rig.cpu, 1, 0);
        assertThat(migrate(0, 0, 1).errno()).isEqualTo(Errno.OK);
        protect(0, 1, VmFlags.READ);
        protect(0, 1, Rig.RW);

        assertThat(device(0)
                        .write(rig.cpu, Rig.BUFFER, 1, DeviceBuffer.ofArray(Rig.pattern(1, 7)))
                        .errno())
                .isEqualTo(Errno.EFAULT);

        rig.expectPattern(rig.cpu, 1, 0);
        closeAndCheckClean(1);
    }

    /** 7.3: a page that was never touched is writable in the CPU's table, and not in the device's. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapUntouchedPagesAsTheProfileDoes(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(1);
        assertThat(migrate(0, 0, 1).errno()).isEqualTo(Errno.OK);
        assertThat(rig.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);

        assertThat(device(0).write(rig.cpu, Rig.BUFFER, 1, DeviceBuffer.ofArray(Rig.pattern(1, 9))))
                .isEqualTo(new Result(Errno.OK, 1, profile.deviceWritesMigratedHoles() ? 0 : 1));

        rig.expectPattern(rig.cpu, 1, 9);
        closeAndCheckClean(1);
    }

    /** Closing any handle of a device empties its memory, also of what other processes have there. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldBringEverythingBackWhenAHandleIsClosed(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(4);
        rig.writePattern(rig.cpu, 4, 0);
        assertThat(migrate(0, 0, 4).errno()).isEqualTo(Errno.OK);
        final Process child = rig.process.fork(rig.cpu).child();
        final MirrorHandle childs = device(0).device().open(rig.other, child.space());

        childs.close(rig.other);

        expectKinds(0, 4, PteKind.PRESENT);
        for (int page = 0; page < 4; page++) {
            assertThat(rig.state(page).mapCount()).isEqualTo(2);
        }
        assertThat(device(0).device().memory().inUse()).isZero();
        child.exit(rig.other);
        closeAndCheckClean(4);
    }

    /** Two handles of one device: the second's table must not keep what the first has moved. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepTheTablesOfOtherHandlesRight(final SemanticProfile profile) {
        begin(profile, 1);
        rig.devices.add(device(0).device().open(rig.cpu, rig.process.space()));
        rig.map(2);
        rig.writePattern(rig.cpu, 2, 0);
        assertThat(read(1, 2, new byte[2 * Rig.PAGE]).errno()).isEqualTo(Errno.OK);

        assertThat(migrate(0, 0, 2).errno()).isEqualTo(Errno.OK);
        assertThat(rig.deviceMaps(device(1), 0)).isFalse();
        assertThat(read(1, 2, new byte[2 * Rig.PAGE]).errno()).isEqualTo(Errno.OK);
        rig.checker().atQuiescence(rig.cpu).orThrow();
        rig.cpu.loadInt(rig.addr(0));

        assertThat(rig.deviceMaps(device(0), 0)).isFalse();
        assertThat(rig.deviceMaps(device(1), 0)).isFalse();
        assertThat(rig.deviceMaps(device(1), 1)).isTrue();
        closeAndCheckClean(2);
    }

    /** The driver remembers which handle brought a page, and erases its address there: even if it comes back to a child. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldEraseThePageFromTheTableOfWhoBroughtIt(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(1);
        rig.writePattern(rig.cpu, 1, 0);
        assertThat(migrate(0, 0, 1).errno()).isEqualTo(Errno.OK);
        final Process child = rig.process.fork(rig.cpu).child();
        assertThat(rig.process.madvise(rig.cpu, Rig.BUFFER, Rig.PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);
        rig.cpu.storeInt(Rig.BUFFER, 1);
        assertThat(read(0, 1, new byte[Rig.PAGE]).errno()).isEqualTo(Errno.OK);
        assertThat(rig.deviceMaps(device(0), 0)).isTrue(); // another page by now

        rig.other.run(child);
        rig.expectPattern(rig.other, 1, 0);

        assertThat(rig.deviceMaps(device(0), 0)).isFalse();
        rig.other.run(null);
        child.exit(rig.other);
        closeAndCheckClean(1);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRefuseWhatEveryRequestRefuses(final SemanticProfile profile) {
        begin(profile, 1);
        rig.map(1);
        final DeviceBuffer buffer = DeviceBuffer.ofArray(new byte[Rig.PAGE]);
        assertThat(device(0).migrateToDevice(rig.cpu, Rig.BUFFER + 1, 1, buffer).errno())
                .isEqualTo(Errno.EINVAL);
        assertThat(device(0).migrateToSystem(rig.cpu, Rig.BUFFER, 0).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device(0).release(rig.cpu, Rig.BUFFER, 0).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device(0).migrateToSystem(rig.cpu, rig.addr(5), 1).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device(0)
                        .migrateToDevice(rig.cpu, Rig.BUFFER, 1, DeviceBuffer.unmapped())
                        .errno())
                .isEqualTo(Errno.EFAULT); // although the page has moved
        assertThat(rig.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        closeAndCheckClean(1);
    }
}
