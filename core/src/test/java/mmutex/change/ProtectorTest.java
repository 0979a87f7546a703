package mmutex.change;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProtectorTest {
    private final Emulation emulation = new Emulation();
    private final Cpu cpu = emulation.cpu;

    private Errno protect(final long start, final long length, final long protection) {
        return Protector.protect(cpu, emulation.space, start, length, protection);
    }

    @ParameterizedTest
    @CsvSource({
        "0x40000000, 0x1000, OK",
        "0x40000000, 0, OK",
        "0x40000001, 0x1000, EINVAL",
        "0x40000001, 0, EINVAL",
        "0x40000000, 0x3000, ENOMEM",
        "0x40002000, 0x1000, ENOMEM",
        "0x800000000000, 0x1000, ENOMEM",
        "0x40000000, -1, ENOMEM"
    })
    void shouldCheckTheRange(final String start, final String length, final Errno expected) {
        emulation.map(0, 2, READ_WRITE);

        assertThat(protect(Long.decode(start), Long.decode(length), READ)).isEqualTo(expected);
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
    }

    @Test
    void shouldChangeWhatLiesBeforeAHole() {
        emulation.mapWritten(0, 2);
        emulation.mapWritten(3, 1);

        assertThat(protect(addr(0), 4 * PAGE, READ)).isEqualTo(Errno.ENOMEM);

        assertThat(cpu.storeLong(addr(1), 1)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(cpu.storeLong(addr(3), 1)).isEqualTo(Signal.NONE);
    }

    @Test
    void shouldRefuseWhatTheMappingMayNeverHave() {
        emulation.space.mmapLock().writeLock(cpu);
        emulation.space.editor().map(cpu, BASE, addr(1), VmFlags.READ | VmFlags.MAYREAD, 0);
        emulation.space.mmapLock().writeUnlock(cpu);

        assertThat(protect(BASE, PAGE, READ_WRITE)).isEqualTo(Errno.EACCES);
        assertThat(protect(BASE, PAGE, VmFlags.EXEC)).isEqualTo(Errno.EACCES);
        assertThat(protect(BASE, PAGE, 0)).isEqualTo(Errno.OK);
    }

    @Test
    void shouldTakeWriteAwayAndKeepTheData() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);

        protect(BASE, PAGE, READ);

        assertThat(emulation.isWritable(0)).isFalse();
        assertThat(emulation.load(0)).isEqualTo(5);
        assertThat(cpu.storeLong(BASE, 6)).isEqualTo(Signal.SEGV_ACCERR);
        emulation.assertCounts(0, 1, 1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldTakeAllAccessAwayAndGiveItBack() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);

        protect(BASE, PAGE, 0);
        assertThat(cpu.loadLong(BASE)).isEqualTo(Signal.SEGV_ACCERR);
        protect(BASE, PAGE, READ_WRITE);

        assertThat(emulation.load(0)).isEqualTo(5);
        emulation.assertNothingIsLeft();
    }

    /** E6: from the first populated upper entry; nothing if there is none. */
    @Test
    void shouldSendNothingWhereNothingWasTouched() {
        emulation.map(0, 4, READ_WRITE);
        final List<Event> events = emulation.record();

        protect(addr(0), 4 * PAGE, READ);

        assertThat(events).isEmpty();
        assertThat(emulation.space.vmas().lookup(BASE).has(VmFlags.WRITE)).isFalse();
    }

    @Test
    void shouldSendASpanWhereSomethingWasTouched() {
        emulation.map(0, 4, READ_WRITE);
        emulation.store(3, 1);
        final List<Event> events = emulation.record();

        protect(addr(0), 4 * PAGE, READ);

        assertThat(events).containsExactly(new Event(NotifierEvent.PROTECTION_VMA, 0, 4, 0));
    }

    /** No flag changes: no event, device mappings stay. */
    @Test
    void shouldSendNothingWhenNothingChanges() {
        emulation.mapWritten(0, 1);
        final List<Event> events = emulation.record();

        assertThat(protect(addr(0), PAGE, READ_WRITE)).isEqualTo(Errno.OK);

        assertThat(events).isEmpty();
    }

    /** The kernel looks at upper entries: of 1 GiB in K612 and K615, of 2 MiB before. */
    @Test
    void shouldBeginTheSpanAtTheFirstPopulatedUpperEntry() {
        final long large = 512 * 512; // pages under one entry of the third level
        for (final SemanticProfile profile : SemanticProfile.ALL) {
            final Emulation other = new Emulation(profile);
            final long last = 2 * large + 5 * 512 + 7;
            other.map(0, last + 1, READ_WRITE);
            other.store(last, 1);
            final List<Event> events = other.record();

            other.protect(0, last + 1, READ);

            final long first = profile.mprotectNotifyLevel() == 2 ? 2 * large : 2 * large + 5 * 512;
            assertThat(events)
                    .as(profile.name())
                    .containsExactly(new Event(NotifierEvent.PROTECTION_VMA, first, last + 1, 0));
        }
    }

    @Test
    void shouldSplitAndMergeMappings() {
        emulation.mapWritten(0, 6);

        protect(addr(2), 2 * PAGE, READ);
        assertThat(emulation.space.vmas().size()).isEqualTo(3);
        assertThat(emulation.cpu.storeLong(addr(1), 1)).isEqualTo(Signal.NONE);
        assertThat(emulation.cpu.storeLong(addr(4), 1)).isEqualTo(Signal.NONE);
        protect(addr(2), 2 * PAGE, READ_WRITE);
        assertThat(emulation.space.vmas().size()).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldChangeSeveralMappingsAtOnce() {
        emulation.mapWritten(0, 2);
        emulation.map(2, 1, READ);
        emulation.mapWritten(3, 2);

        protect(addr(1), 3 * PAGE, READ);

        assertThat(emulation.cpu.storeLong(addr(0), 1)).isEqualTo(Signal.NONE);
        for (int page = 1; page < 4; page++) {
            assertThat(emulation.cpu.storeLong(addr(page), 1)).isEqualTo(Signal.SEGV_ACCERR);
        }
        assertThat(emulation.cpu.storeLong(addr(4), 1)).isEqualTo(Signal.NONE);
    }

    // ---- r -> rw ----------------------------------------------------------------------------------------------------

    /** Whether a private page that the process owns alone becomes writable without another fault. */
    @ParameterizedTest
    @CsvSource({"V9, 1", "K514, 0", "K612, 0", "K615, 0"})
    void shouldMakeADirtyPageWritableAtOnceAsTheProfileDoes(final String profile, final int faults) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 1);
        other.protect(0, 1, READ);
        other.protect(0, 1, READ_WRITE);
        final long frame = other.frame(0);
        final long before = other.cpu.faults();

        other.store(0, 1);

        assertThat(other.cpu.faults() - before).isEqualTo(faults);
        assertThat(other.frame(0)).isEqualTo(frame);
    }

    @ParameterizedTest
    @CsvSource({"K514, 1", "K612, 0", "K615, 0"})
    void shouldMakeACleanPageWritableAtOnceAsTheProfileDoes(final String profile, final int faults) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 1);
        other.protect(0, 1, READ);
        final long slot = other.space.pageTable().slot(BASE);
        other.space.pageTable().store(slot, other.encoding.mkClean(other.pte(0)));
        other.protect(0, 1, READ_WRITE);
        final long before = other.cpu.faults();

        other.store(0, 1);

        assertThat(other.cpu.faults() - before).isEqualTo(faults);
    }

    @Test
    void shouldNotMakeASharedPageWritable() {
        emulation.mapWritten(0, 1);
        emulation.fork();
        protect(BASE, PAGE, READ);
        protect(BASE, PAGE, READ_WRITE);

        assertThat(emulation.isWritable(0)).isFalse();
    }

    @Test
    void shouldNotMakeTheZeroPageWritable() {
        emulation.map(0, 1, READ);
        emulation.load(0);
        protect(BASE, PAGE, READ_WRITE);

        assertThat(emulation.isWritable(0)).isFalse();
        emulation.store(0, 5);
        assertThat(emulation.platform.data().isZero(1)).isTrue();
    }

    // ---- exclusive entries
    // --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"V3", "V9", "K514", "K612", "K615"})
    void shouldDemoteExclusiveEntriesAsTheProfileDoes(final String name) {
        final SemanticProfile profile = SemanticProfile.byName(name);
        final Emulation other = new Emulation(profile);
        other.mapWritten(0, 2);
        other.open(0).exclusive(other.cpu, BASE, 2, DeviceBuffer.ofArray(new byte[2 * 4096]));
        final long before = other.pte(0);

        other.protect(0, 1, READ);
        final long demoted = other.pte(0);
        other.protect(0, 1, READ_WRITE);

        if (profile.mprotectDemotesExclusive()) {
            assertThat(other.encoding.kind(demoted)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
            assertThat(other.kind(0)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ); // nothing ever reverts that
            assertThat(other.kind(1)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        } else {
            assertThat(demoted).isEqualTo(before);
            assertThat(other.pte(0)).isEqualTo(before);
        }
        assertThat(other.encoding.swapFrameNumber(other.pte(0))).isEqualTo(other.encoding.swapFrameNumber(before));
        assertThat(other.encoding.isSwapSoftDirty(other.pte(0))).isTrue();
        assertThat(other.frames.refCount(other.frame(0))).isEqualTo(1);
        other.assertNothingIsLeft();
    }
}
