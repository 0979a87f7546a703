package mmutex.change;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdvisorTest {
    private final Emulation emulation = new Emulation();
    private final Cpu cpu = emulation.cpu;

    private Errno advise(final long first, final long count, final Advice advice) {
        return Advisor.advise(cpu, emulation.space, addr(first), count * PAGE, advice);
    }

    @ParameterizedTest
    @CsvSource({
        "0x40000000, 0x1000, OK",
        "0x40000000, 1, OK",
        "0x40000000, 0, OK",
        "0x40000001, 0x1000, EINVAL",
        "0x40000000, -1, EINVAL"
    })
    void shouldCheckTheRange(final String start, final String length, final Errno expected) {
        emulation.map(0, 2, READ_WRITE);

        assertThat(Advisor.advise(cpu, emulation.space, Long.decode(start), Long.decode(length), Advice.DONTNEED))
                .isEqualTo(expected);
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
    }

    // ---- DONTNEED ---------------------------------------------------------------------------------------------------

    @Test
    void shouldDiscardPages() {
        emulation.mapWritten(0, 4);
        final List<Event> events = emulation.record();

        assertThat(advise(1, 2, Advice.DONTNEED)).isEqualTo(Errno.OK);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 1, 3, 0));
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(2);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(2);
        assertThat(emulation.load(1)).isZero();
        assertThat(emulation.load(3)).isEqualTo(3);
        emulation.assertNothingIsLeft();
    }

    /** zap_page_range_single doesn't look first. */
    @Test
    void shouldSendItsSpanEvenIfNothingWasTouched() {
        emulation.map(0, 2, READ_WRITE);
        final List<Event> events = emulation.record();

        advise(0, 2, Advice.DONTNEED);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, 2, 0));
    }

    @Test
    void shouldPassOverHolesAndReportThem() {
        emulation.mapWritten(1, 1);
        emulation.mapWritten(3, 1);
        final List<Event> events = emulation.record();

        assertThat(advise(0, 5, Advice.DONTNEED)).isEqualTo(Errno.ENOMEM);

        assertThat(events)
                .containsExactly(new Event(NotifierEvent.CLEAR, 1, 2, 0), new Event(NotifierEvent.CLEAR, 3, 4, 0));
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(advise(10, 2, Advice.DONTNEED)).isEqualTo(Errno.ENOMEM);
    }

    @Test
    void shouldDiscardReadOnlyMemoryToo() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        emulation.protect(0, 1, READ);

        advise(0, 1, Advice.DONTNEED);

        assertThat(emulation.load(0)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {VmFlags.LOCKED, VmFlags.PFNMAP})
    void shouldNotDiscardWhatMustStay(final long flag) {
        emulation.mapWritten(0, 1);
        emulation.store(0, 5);
        emulation.space.mmapLock().writeLock(cpu);
        emulation
                .space
                .editor()
                .modify(
                        cpu,
                        emulation.space.vmas().lookup(BASE),
                        BASE,
                        addr(1),
                        emulation.space.vmas().lookup(BASE).flags() | flag);
        emulation.space.mmapLock().writeUnlock(cpu);

        assertThat(advise(0, 1, Advice.DONTNEED)).isEqualTo(Errno.EINVAL);
        assertThat(emulation.load(0)).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"V3", "V9", "K514", "K612", "K615"})
    void shouldDiscardExclusivePages(final String profile) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 2);
        final MirrorHandle device = other.open(0);
        device.exclusive(other.cpu, BASE, 2, DeviceBuffer.ofArray(new byte[2 * 4096]));

        assertThat(other.process.madvise(other.cpu, BASE, 2 * PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);

        assertThat(other.platform.allocator().inUse()).isZero();
        assertThat(device.checkExclusive(other.cpu, BASE, 2).errno()).isEqualTo(Errno.OK);
        assertThat(other.load(0)).isZero();
        other.assertNothingIsLeft();
    }

    // ---- what fork does ---------------------------------------------------------------------------------------------

    @Test
    void shouldNotInheritWhatIsMarkedSo() {
        emulation.mapWritten(0, 3);
        assertThat(advise(1, 1, Advice.DONTFORK)).isEqualTo(Errno.OK);

        final Process child = emulation.fork();
        assertThat(child.space().vmas().lookup(addr(1))).isNull();
        assertThat(child.rssAnonPages()).isEqualTo(2);
        assertThat(emulation.frames.refCount(emulation.frame(1))).isEqualTo(1);

        advise(1, 1, Advice.DOFORK);
        assertThat(emulation.space.vmas().size()).isEqualTo(1);
        final Process second = emulation.fork();
        assertThat(second.rssAnonPages()).isEqualTo(3);
    }

    @Test
    void shouldInheritWipedMemoryEmpty() {
        emulation.mapWritten(0, 2);
        assertThat(advise(0, 1, Advice.WIPEONFORK)).isEqualTo(Errno.OK);

        final Process child = emulation.fork();

        assertThat(child.rssAnonPages()).isEqualTo(1);
        final Cpu other = emulation.machine.cpu(1);
        other.run(child);
        assertThat(other.loadLong(addr(0))).isEqualTo(Signal.NONE);
        assertThat(other.value()).isZero();
        other.loadLong(addr(1));
        assertThat(other.value()).isEqualTo(1);
        assertThat(child.space().vmas().lookup(addr(0)).has(VmFlags.WIPEONFORK)).isTrue();
        assertThat(emulation.isWritable(0)).isTrue(); // the parent's page isn't shared

        advise(0, 1, Advice.KEEPONFORK);
        assertThat(emulation.fork().rssAnonPages()).isEqualTo(2);
    }

    @Test
    void shouldNotWipeSharedMemory() {
        emulation.space.mmapLock().writeLock(cpu);
        emulation.space.editor().map(cpu, BASE, addr(1), VmFlags.READ | VmFlags.SHARED, 0);
        emulation.space.mmapLock().writeUnlock(cpu);

        assertThat(advise(0, 1, Advice.WIPEONFORK)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void shouldToggleHugePageAdvice() {
        emulation.map(0, 2, READ_WRITE);

        advise(0, 2, Advice.HUGEPAGE);
        assertThat(emulation.space.vmas().lookup(BASE).has(VmFlags.HUGEPAGE)).isTrue();
        advise(0, 2, Advice.NOHUGEPAGE);
        assertThat(emulation.space.vmas().lookup(BASE).has(VmFlags.NOHUGEPAGE)).isTrue();
        assertThat(emulation.space.vmas().lookup(BASE).has(VmFlags.HUGEPAGE)).isFalse();
        advise(0, 2, Advice.HUGEPAGE);
        assertThat(emulation.space.vmas().lookup(BASE).has(VmFlags.NOHUGEPAGE)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(
            value = Advice.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"DONTNEED", "FREE", "COLD", "POPULATE_READ", "POPULATE_WRITE", "COLLAPSE"})
    void shouldSendNothingForAdviceOnMappings(final Advice advice) {
        emulation.mapWritten(0, 4);
        final List<Event> events = emulation.record();

        assertThat(advise(1, 2, advice)).isEqualTo(Errno.OK);

        assertThat(events).isEmpty();
        for (int page = 0; page < 4; page++) {
            assertThat(emulation.load(page)).isEqualTo(page);
        }
        emulation.assertNothingIsLeft();
    }
}
