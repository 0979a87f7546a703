package mmutex.device;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.device.MirrorHandle.Result;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.UserBuffer;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel's test device; the selftest's exclusive cases have tests of their own. */
class MirrorHandleTest {
    private Emulation emulation = new Emulation();
    private MirrorHandle device = emulation.open(0);
    private byte[] mirror = new byte[(int) (16 * PAGE)];

    private void use(final SemanticProfile profile) {
        emulation = new Emulation(profile);
        device = emulation.open(0);
    }

    private DeviceBuffer buffer() {
        return DeviceBuffer.ofArray(mirror);
    }

    private Result read(final long first, final long count) {
        return device.read(emulation.cpu, addr(first), count, buffer());
    }

    private Result write(final long first, final long count) {
        return device.write(emulation.cpu, addr(first), count, buffer());
    }

    private Result exclusive(final long first, final long count) {
        return device.exclusive(emulation.cpu, addr(first), count, buffer());
    }

    private Errno checkExclusive(final long first, final long count) {
        return device.checkExclusive(emulation.cpu, addr(first), count).errno();
    }

    private byte[] snapshot(final long first, final long count) {
        final byte[] perms = new byte[(int) count];
        assertThat(device.snapshot(emulation.cpu, addr(first), count, DeviceBuffer.ofArray(perms)))
                .isEqualTo(new Result(Errno.OK, count, 0));
        return perms;
    }

    private long mirrored(final int page) {
        return ByteBuffer.wrap(mirror).order(ByteOrder.nativeOrder()).getLong((int) (page * PAGE));
    }

    private void mirror(final int page, final long value) {
        ByteBuffer.wrap(mirror).order(ByteOrder.nativeOrder()).putLong((int) (page * PAGE), value);
    }

    private boolean maps(final long page) {
        return DevicePte.has(device.table().load(addr(page) / PAGE), DevicePte.VALID);
    }

    // ---- arguments
    // ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0x40000001, 1", "0x40000000, 0", "0x40000000, -1", "-4096, 2", "0x40000000, 4503599627370496"})
    void shouldRefuseMisalignedEmptyAndWrappingRanges(final String start, final long pages) {
        emulation.map(0, 1, READ_WRITE);
        final long addr = Long.decode(start);
        final Task task = emulation.cpu;

        assertThat(device.read(task, addr, pages, buffer()).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.write(task, addr, pages, buffer()).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.exclusive(task, addr, pages, buffer()).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.checkExclusive(task, addr, pages).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.snapshot(task, addr, pages, buffer()).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.unknown(task, addr, pages).errno()).isEqualTo(Errno.EINVAL);
    }

    @Test
    void shouldRefuseRequestsItDoesNotKnow() {
        assertThat(device.unknown(emulation.cpu, BASE, 1).errno()).isEqualTo(Errno.EINVAL);
    }

    /** Outcomes of the emulated kernel, not Java errors. */
    @ParameterizedTest
    @ValueSource(longs = {1L << 20, 1L << 31, 1L << 40})
    void shouldRefuseRequestsLargerThanMemory(final long pages) {
        assertThat(read(0, pages).errno()).isNotEqualTo(Errno.OK);
        assertThat(write(0, pages).errno()).isNotEqualTo(Errno.OK);
        assertThat(exclusive(0, pages).errno()).isNotEqualTo(Errno.OK);
        assertThat(device.snapshot(emulation.cpu, addr(0), pages, buffer()).errno())
                .isNotEqualTo(Errno.OK);
        assertThat(checkExclusive(0, pages)).isEqualTo(Errno.OK);
        emulation.assertNothingIsLeft();
    }

    /** The device table knows 48 bits of an address; the others must not be cut off. */
    @ParameterizedTest
    @ValueSource(longs = {1L << 47, 1L << 48, 1L << 62, Long.MIN_VALUE})
    void shouldNotReachAnythingThroughAddressesBeyondTheSpace(final long offset) {
        emulation.mapWritten(0, 1);
        assertThat(read(0, 1).errno()).isEqualTo(Errno.OK);
        exclusive(0, 1);

        assertThat(device.read(emulation.cpu, BASE + offset, 1, buffer()).errno())
                .isEqualTo(Errno.EFAULT);
        assertThat(device.write(emulation.cpu, BASE + offset, 1, buffer()).errno())
                .isEqualTo(Errno.EFAULT);
        assertThat(device.exclusive(emulation.cpu, BASE + offset, 1, buffer()).errno())
                .isEqualTo(Errno.EBUSY);
        assertThat(device.checkExclusive(emulation.cpu, BASE + offset, 1).errno())
                .isEqualTo(Errno.OK);
        final byte[] perms = new byte[1];
        assertThat(device.snapshot(emulation.cpu, BASE + offset, 1, DeviceBuffer.ofArray(perms))
                        .errno())
                .isEqualTo(Errno.OK);
        assertThat(perms[0]).isEqualTo((byte) MirrorHandle.PERM_ERROR);
        assertThat(checkExclusive(0, 1)).isEqualTo(Errno.EPERM);
    }

    @Test
    void shouldNotOpenOnADeadProcess() {
        final Emulation dead = new Emulation();
        dead.cpu.run(null);
        dead.process.exit(dead.cpu);

        assertThatThrownBy(() -> dead.machine.newMirrorDevice(1).open(dead.cpu, dead.space))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a device can't be opened on this address space: EINVAL");
    }

    // ---- READ
    // ---------------------------------------------------------------------------------------------------------

    @Test
    void shouldReadAndFaultInWhatIsMissing() {
        emulation.mapWritten(0, 3);
        emulation.map(3, 1, READ_WRITE);

        assertThat(read(0, 4)).isEqualTo(new Result(Errno.OK, 4, 1));

        assertThat(mirrored(1)).isEqualTo(1);
        assertThat(mirrored(2)).isEqualTo(2);
        assertThat(mirrored(3)).isZero();
        assertThat(read(0, 4)).isEqualTo(new Result(Errno.OK, 4, 0)); // mapped now
        assertThat(emulation.frame(3)).isEqualTo(1); // the zero page, as any read
    }

    /** A fault call resolves everything behind the page that was missing, in rounds. */
    @Test
    void shouldReadLargeRangesWithOneFault() {
        for (final SemanticProfile profile : SemanticProfile.ALL) {
            use(profile);
            mirror = new byte[(int) (150 * PAGE)];
            emulation.mapWritten(0, 150);

            assertThat(read(0, 150)).isEqualTo(new Result(Errno.OK, 150, 1));
            for (int page = 0; page < 150; page++) {
                assertThat(mirrored(page)).isEqualTo(page);
            }
        }
    }

    @Test
    void shouldFailToReadWhatCannotBeRead() {
        emulation.mapWritten(0, 2);
        emulation.mapWritten(3, 1);
        mirror(0, 77);

        assertThat(read(0, 4)).isEqualTo(new Result(Errno.EFAULT, 0, 0));
        assertThat(mirrored(0)).isEqualTo(77);
        emulation.protect(0, 2, 0);
        assertThat(read(0, 1).errno()).isEqualTo(Errno.EFAULT);
    }

    @Test
    void shouldFailToReadIntoUnmappedMemory() {
        emulation.mapWritten(0, 1);

        assertThat(device.read(emulation.cpu, BASE, 1, DeviceBuffer.unmapped()).errno())
                .isEqualTo(Errno.EFAULT);
        assertThat(device.read(emulation.cpu, BASE, 1, new UserBuffer(addr(5))).errno())
                .isEqualTo(Errno.EFAULT);
        emulation.mapWritten(5, 1);
        assertThat(device.read(emulation.cpu, BASE, 1, new UserBuffer(addr(5))).errno())
                .isEqualTo(Errno.OK);
    }

    // ---- WRITE
    // --------------------------------------------------------------------------------------------------------

    @Test
    void shouldWriteThroughItsOwnMapping() {
        emulation.mapWritten(0, 2);
        emulation.map(2, 1, READ_WRITE);
        for (int page = 0; page < 3; page++) {
            mirror(page, 100 + page);
        }

        assertThat(write(0, 3)).isEqualTo(new Result(Errno.OK, 3, 1));
        assertThat(write(0, 3)).isEqualTo(new Result(Errno.OK, 3, 0));

        for (int page = 0; page < 3; page++) {
            assertThat(emulation.load(page)).isEqualTo(100 + page);
        }
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldNotWriteThroughAReadMapping() {
        emulation.mapWritten(0, 1);
        emulation.fork();
        read(0, 1);
        final long shared = emulation.frame(0);

        assertThat(write(0, 1)).isEqualTo(new Result(Errno.OK, 1, 1));

        assertThat(emulation.frame(0)).isNotEqualTo(shared); // copied first
    }

    @Test
    void shouldFailToWriteWhatCannotBeWritten() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        emulation.protect(0, 1, READ);
        emulation.map(1, 1, READ);

        assertThat(write(0, 1).errno()).isEqualTo(Errno.EPERM);
        assertThat(write(1, 1).errno()).isEqualTo(Errno.EPERM);
        assertThat(write(7, 1).errno()).isEqualTo(Errno.EFAULT);
        assertThat(device.write(emulation.cpu, BASE, 1, DeviceBuffer.unmapped()).errno())
                .isEqualTo(Errno.EFAULT);
        assertThat(emulation.load(0)).isEqualTo(5);
    }

    /** An atomic page counts as missing: the device's write revokes its own atomic mapping. */
    @Test
    void shouldFaultToWriteAnExclusivePage() {
        emulation.mapWritten(0, 1);
        exclusive(0, 1);
        mirror(0, 9);
        final List<Event> events = emulation.record();

        assertThat(write(0, 1)).isEqualTo(new Result(Errno.OK, 1, 1));

        assertThat(events).containsExactly(new Event(NotifierEvent.EXCLUSIVE, 0, 1, 0));
        assertThat(checkExclusive(0, 1)).isEqualTo(Errno.OK);
        assertThat(emulation.load(0)).isEqualTo(9);
    }

    // ---- EXCLUSIVE
    // ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"V3", "V9", "K514", "K612", "K615"})
    void shouldMakePagesExclusiveAndReadThem(final String profile) {
        use(SemanticProfile.byName(profile));
        mirror = new byte[(int) (130 * PAGE)]; // more than two batches
        emulation.mapWritten(0, 130);
        final long rss = emulation.process.rssAnonPages();

        assertThat(exclusive(0, 130)).isEqualTo(new Result(Errno.OK, 130, 0));

        for (int page = 0; page < 130; page++) {
            assertThat(mirrored(page)).isEqualTo(page);
            assertThat(emulation.kind(page).isDeviceExclusive()).isTrue();
            assertThat(emulation.frames.refCount(emulation.frame(page))).isEqualTo(1);
            assertThat(emulation.platform.pageLock().isLocked(emulation.frame(page)))
                    .isFalse();
        }
        assertThat(checkExclusive(129, 1)).isEqualTo(Errno.EPERM);
        assertThat(checkExclusive(130, 5)).isEqualTo(Errno.OK);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(rss);
        emulation.assertNothingIsLeft();
    }

    /** Up to 6.14: nothing is mapped unless all pages were obtained, and every failure is EBUSY. */
    @Test
    void shouldMapNothingOfABatchThatFellShort() {
        emulation.mapWritten(0, 3);

        assertThat(exclusive(0, 4).errno()).isEqualTo(Errno.EBUSY);

        assertThat(checkExclusive(0, 4)).isEqualTo(Errno.OK);
        for (int page = 0; page < 3; page++) {
            assertThat(emulation.kind(page)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE); // orphans
            assertThat(emulation.load(page)).isEqualTo(page);
        }
        emulation.assertNothingIsLeft();
    }

    /** From 6.15: page by page; those before the failure stay exclusive and mapped, and the error is make's. */
    @Test
    void shouldKeepWhatComesBeforeAFailureSinceOnePageIsMadeAtATime() {
        use(SemanticProfile.K615);
        emulation.mapWritten(0, 3);
        emulation.map(3, 1, READ);
        emulation.mapWritten(4, 1);

        assertThat(exclusive(0, 5).errno()).isEqualTo(Errno.EFAULT);

        for (int page = 0; page < 3; page++) {
            assertThat(emulation.kind(page)).isEqualTo(PteKind.DEVICE_EXCLUSIVE);
            assertThat(checkExclusive(page, 1)).isEqualTo(Errno.EPERM);
        }
        assertThat(emulation.kind(4)).isEqualTo(PteKind.PRESENT);
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @CsvSource({"K612, EBUSY", "K615, EFAULT"})
    void shouldFailOnMemoryThatIsNotWritable(final String profile, final Errno expected) {
        use(SemanticProfile.byName(profile));
        emulation.map(0, 1, READ);

        assertThat(exclusive(0, 1).errno()).isEqualTo(expected);
        assertThat(exclusive(9, 1).errno()).isEqualTo(expected);
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
    }

    /** R8: up to 6.14 a locked page is skipped. */
    @Test
    void shouldSkipAPageThatSomebodyElseHasLocked() {
        emulation.mapWritten(0, 2);
        final Task other = emulation.machine.newTask("other");
        emulation.platform.pageLock().lock(other, emulation.frame(0));

        assertThat(exclusive(0, 2).errno()).isEqualTo(Errno.EBUSY);

        assertThat(emulation.kind(0)).isEqualTo(PteKind.PRESENT);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(checkExclusive(1, 1)).isEqualTo(Errno.EPERM); // mapped, though the request failed
        emulation.assertCounts(0, 1, 1);
        emulation.platform.pageLock().unlock(other, emulation.frame(0));
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldFailToReportIntoUnmappedMemory() {
        emulation.mapWritten(0, 1);

        assertThat(device.exclusive(emulation.cpu, BASE, 1, DeviceBuffer.unmapped())
                        .errno())
                .isEqualTo(Errno.EFAULT);
        assertThat(checkExclusive(0, 1)).isEqualTo(Errno.EPERM);
    }

    // ---- invalidation
    // -------------------------------------------------------------------------------------------------

    /** Q7: the end of a span is taken as inclusive, so the neighbour loses its device entry, not its CPU entry. */
    @Test
    void shouldEraseOnePageTooMany() {
        emulation.mapWritten(0, 4);
        exclusive(0, 4);

        emulation.load(1);

        assertThat(maps(0)).isTrue();
        assertThat(maps(1)).isFalse();
        assertThat(maps(2)).isFalse();
        assertThat(maps(3)).isTrue();
        assertThat(emulation.kind(2)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(emulation.load(2)).isEqualTo(2);
    }

    @Test
    void shouldLoseItsMappingsToEveryKindOfChange() {
        emulation.mapWritten(0, 9);
        assertThat(read(0, 9).errno()).isEqualTo(Errno.OK);

        emulation.process.munmap(emulation.cpu, addr(0), PAGE);
        assertThat(maps(0)).isFalse();
        emulation.process.madvise(emulation.cpu, addr(2), PAGE, Advice.DONTNEED);
        assertThat(maps(2)).isFalse();
        emulation.protect(4, 1, READ);
        assertThat(maps(4)).isFalse();
        assertThat(maps(7)).isTrue();
        emulation.fork();
        assertThat(maps(7)).isFalse();
        assertThat(device.table().nextValid(0, device.table().pageLimit()))
                .isEqualTo(device.table().pageLimit());
    }

    @Test
    void shouldTakePagesFromAnotherDevice() {
        final MirrorHandle other = emulation.open(1);
        emulation.mapWritten(0, 2);
        exclusive(0, 2);
        final List<Event> events = emulation.record();

        assertThat(other.exclusive(emulation.cpu, BASE, 2, buffer()).errno()).isEqualTo(Errno.OK);

        assertThat(checkExclusive(0, 2)).isEqualTo(Errno.OK);
        assertThat(other.checkExclusive(emulation.cpu, BASE, 2).errno()).isEqualTo(Errno.EPERM);
        // Restored by the second device's own GUP, then converted.
        assertThat(events)
                .containsExactly(
                        new Event(NotifierEvent.EXCLUSIVE, 0, 1, 0),
                        new Event(NotifierEvent.EXCLUSIVE, 1, 2, 0),
                        new Event(NotifierEvent.EXCLUSIVE, 0, 1, 0),
                        new Event(NotifierEvent.EXCLUSIVE, 1, 2, 0));
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldStopListeningWhenClosed() {
        emulation.mapWritten(0, 2);
        exclusive(0, 2);
        final long tables = emulation.platform.tables().inUse();

        device.close(emulation.cpu);
        device.close(emulation.cpu);

        assertThat(emulation.platform.tables().inUse()).isLessThan(tables);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.cpu.storeLong(addr(1), 5)).isEqualTo(Signal.NONE);
    }

    @Test
    void shouldKnowWhatItBelongsTo() {
        assertThat(device.device().number()).isZero();
        assertThat(device.device().owner()).isPositive(); // unlike the null owner that it passes to make
        assertThat(device.space()).isSameAs(emulation.space);
    }

    // ---- SNAPSHOT
    // -----------------------------------------------------------------------------------------------------

    @Test
    void shouldReportEveryKindOfPage() {
        emulation.mapWritten(0, 1); // writable
        emulation.map(1, 1, READ_WRITE); // untouched
        emulation.map(2, 1, READ);
        emulation.load(2); // zero page
        emulation.mapWritten(3, 1);
        emulation.protect(3, 1, READ); // read-only
        emulation.mapWritten(4, 1);
        emulation.protect(4, 1, 0); // no access
        emulation.mapWritten(6, 1); // behind a hole
        exclusive(6, 1);
        final List<Event> events = emulation.record();

        assertThat(snapshot(0, 8))
                .containsExactly(
                        MirrorHandle.PERM_WRITE,
                        MirrorHandle.PERM_NONE,
                        MirrorHandle.PERM_READ | MirrorHandle.PERM_ZERO,
                        MirrorHandle.PERM_READ,
                        MirrorHandle.PERM_ERROR,
                        MirrorHandle.PERM_ERROR,
                        MirrorHandle.PERM_NONE,
                        MirrorHandle.PERM_ERROR);
        assertThat(events).isEmpty();
        assertThat(checkExclusive(6, 1)).isEqualTo(Errno.EPERM);
    }

    @Test
    void shouldSnapshotInRoundsAndLeaveNoSubscription() {
        emulation.mapWritten(0, 130);

        final byte[] perms = snapshot(0, 131);

        for (int page = 0; page < 130; page++) {
            assertThat(perms[page]).isEqualTo((byte) MirrorHandle.PERM_WRITE);
        }
        assertThat(perms[130]).isEqualTo((byte) MirrorHandle.PERM_ERROR);
        assertThat(emulation.space.notifiers().snapshot(emulation.cpu).subscriptionSeqs())
                .hasSize(1);
        assertThat(device.snapshot(emulation.cpu, BASE, 1, DeviceBuffer.unmapped())
                        .errno())
                .isEqualTo(Errno.EFAULT);
    }

    // ---- exhaustion
    // ---------------------------------------------------------------------------------------------------

    @Test
    void shouldReportExhaustedTables() {
        final Emulation tight = new Emulation(SemanticProfile.K612, 64, 16);
        final MirrorHandle handle = tight.open(0);
        tight.mapWritten(0, 1);
        while (tight.platform.tables().inUse() < 15) {
            tight.machine.newProcess();
        }

        assertThat(handle.read(tight.cpu, BASE, 1, buffer()).errno()).isEqualTo(Errno.ENOMEM);
        assertThat(handle.exclusive(tight.cpu, BASE, 1, buffer()).errno()).isEqualTo(Errno.EBUSY);
        assertThat(tight.load(0)).isZero();
        tight.assertSound();
    }

    @Test
    void shouldReportExhaustedFrames() {
        final Emulation tight = new Emulation(SemanticProfile.K612, 16, 64);
        final MirrorHandle handle = tight.open(0);
        tight.map(0, 15, READ_WRITE);
        final byte[] large = new byte[(int) (15 * PAGE)];

        assertThat(handle.write(tight.cpu, BASE, 15, DeviceBuffer.ofArray(large))
                        .errno())
                .isEqualTo(Errno.EFAULT);
        assertThat(handle.exclusive(tight.cpu, BASE, 15, DeviceBuffer.ofArray(large))
                        .errno())
                .isEqualTo(Errno.EBUSY);
        tight.assertNothingIsLeft();
    }
}
