package mmutex.change;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MapperTest {
    private final Emulation emulation = new Emulation();
    private final Cpu cpu = emulation.cpu;

    private Errno map(final long start, final long length) {
        return Mapper.mapAnonymous(cpu, emulation.space, start, length, READ_WRITE);
    }

    private Errno unmap(final long start, final long length) {
        return Mapper.unmap(cpu, emulation.space, start, length);
    }

    // ---- mmap -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x1000, OK",
        "0x1000, 1, OK",
        "0, 0x1000, OK",
        "0x1001, 0x1000, EINVAL",
        "0x1000, 0, EINVAL",
        "0x1000, -1, ENOMEM",
        "-4096, 0x1000, ENOMEM",
        "0x7fffffffe000, 0x2000, OK",
        "0x7fffffffe000, 0x2001, ENOMEM",
        "0x7fffffffe000, 0x3000, ENOMEM",
        "0x800000000000, 0x1000, ENOMEM",
        "0x1000, 0x7fffffffffffffff, ENOMEM",
        "0, 0x800000000000, OK"
    })
    void shouldCheckTheRange(final String start, final String length, final Errno expected) {
        assertThat(map(Long.decode(start), Long.decode(length))).isEqualTo(expected);
        assertThat(emulation.space.vmas().size()).isEqualTo(expected == Errno.OK ? 1 : 0);
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
    }

    @Test
    void shouldRoundTheLengthUp() {
        map(BASE, PAGE + 1);

        assertThat(emulation.space.vmas().lookup(BASE).end()).isEqualTo(addr(2));
        assertThat(cpu.storeLong(addr(2) - 8, 1)).isEqualTo(Signal.NONE);
    }

    @ParameterizedTest
    @CsvSource({"0, 10, EEXIST", "9, 1, EEXIST", "5, 20, EEXIST", "0, 5, OK", "10, 5, OK", "0, 6, EEXIST"})
    void shouldNotReplaceAnything(final long first, final long count, final Errno expected) {
        emulation.mapWritten(5, 5);

        assertThat(map(addr(first), count * PAGE)).isEqualTo(expected);
        assertThat(emulation.load(5)).isEqualTo(5);
    }

    @Test
    void shouldMergeWithNeighbours() {
        map(addr(0), PAGE);
        map(addr(2), PAGE);
        map(addr(1), PAGE);

        assertThat(emulation.space.vmas().size()).isEqualTo(1);
    }

    // ---- munmap ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x1000, OK",
        "0x1001, 0x1000, EINVAL",
        "0x1000, 0, EINVAL",
        "0x800000000000, 0x1000, EINVAL",
        "0x1000, -1, EINVAL"
    })
    void shouldCheckTheRangeOfAnUnmap(final String start, final String length, final Errno expected) {
        assertThat(unmap(Long.decode(start), Long.decode(length))).isEqualTo(expected);
    }

    @Test
    void shouldSendNothingWhereNothingIsMapped() {
        emulation.map(5, 1, READ_WRITE);
        final List<Event> events = emulation.record();

        assertThat(unmap(addr(0), 5 * PAGE)).isEqualTo(Errno.OK);
        assertThat(unmap(addr(6), 5 * PAGE)).isEqualTo(Errno.OK);

        assertThat(events).isEmpty();
    }

    /** E7. */
    @Test
    void shouldSendOneSpanOverTheWholeRequest() {
        emulation.mapWritten(2, 1);
        emulation.map(5, 1, READ);
        final List<Event> events = emulation.record();

        unmap(addr(0), 10 * PAGE);

        assertThat(events).containsExactly(new Event(NotifierEvent.UNMAP, 0, 10, 0));
        assertThat(emulation.space.vmas().size()).isZero();
    }

    @Test
    void shouldFreeFramesAndTables() {
        final long before = emulation.platform.tables().inUse();
        emulation.mapWritten(0, 3);
        emulation.load(0);

        unmap(addr(0), 3 * PAGE);

        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.platform.tables().inUse()).isEqualTo(before);
        assertThat(emulation.process.rssAnonPages()).isZero();
    }

    @Test
    void shouldKeepTheTablesThatNeighboursUse() {
        emulation.mapWritten(0, 3);

        unmap(addr(1), PAGE);

        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.load(2)).isEqualTo(2);
        assertThat(emulation.frame(2)).isPositive();
        emulation.assertNothingIsLeft();
    }

    /** Far neighbours share upper tables only: their paths stay, the middle's goes. */
    @ParameterizedTest
    @ValueSource(longs = {1L << 9, 1L << 18, 1L << 27})
    void shouldFreeOnlyTablesBetweenTheNeighbours(final long distance) {
        for (int i = 0; i < 3; i++) {
            map(addr(i * distance), PAGE);
            cpu.storeLong(addr(i * distance), i);
        }
        final long before = emulation.platform.tables().inUse();

        unmap(addr(distance), PAGE);

        assertThat(emulation.platform.tables().inUse()).isLessThan(before);
        cpu.loadLong(addr(2 * distance));
        assertThat(cpu.value()).isEqualTo(2);
        assertThat(cpu.loadLong(addr(0))).isEqualTo(Signal.NONE);
        assertThat(cpu.faults()).isEqualTo(3);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCutAMappingInTwo() {
        emulation.mapWritten(0, 10);

        unmap(addr(3), 4 * PAGE);

        final Vma[] vmas = emulation.space.vmas().snapshot();
        assertThat(vmas).hasSize(2);
        assertThat(vmas[0].end()).isEqualTo(addr(3));
        assertThat(vmas[1].start()).isEqualTo(addr(7));
        assertThat(cpu.loadLong(addr(3))).isEqualTo(Signal.SEGV_MAPERR);
        assertThat(emulation.load(9)).isEqualTo(9);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(6);
        emulation.assertNothingIsLeft();
    }

    /** An exclusive entry holds its frame; the device's mapping goes with the span. */
    @ParameterizedTest
    @ValueSource(strings = {"V3", "V9", "K514", "K612", "K615"})
    void shouldUnmapExclusivePages(final String profile) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 4);
        final MirrorHandle device = other.open(0);
        assertThat(device.exclusive(other.cpu, addr(0), 4, DeviceBuffer.ofArray(new byte[4 * 4096]))
                        .errno())
                .isEqualTo(Errno.OK);
        assertThat(other.process.rssAnonPages()).isEqualTo(4);

        other.process.munmap(other.cpu, addr(0), 4 * PAGE);

        assertThat(other.process.rssAnonPages()).isZero();
        assertThat(other.platform.allocator().inUse()).isZero();
        assertThat(device.table().nextValid(0, device.table().pageLimit()))
                .isEqualTo(device.table().pageLimit());
        other.assertNothingIsLeft();
    }

    /** A frame that others share survives with the right counts. */
    @Test
    void shouldDropOnlyItsOwnShareOfAFrame() {
        emulation.mapWritten(0, 1);
        final long frame = emulation.frame(0);
        emulation.fork();

        unmap(addr(0), PAGE);

        assertThat(emulation.frames.refCount(frame)).isEqualTo(1);
        assertThat(emulation.frames.mapCount(frame)).isEqualTo(1);
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(1);
    }
}
