package mmutex.machine;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import mmutex.change.Advisor.Advice;
import mmutex.change.SpaceTeardown;
import mmutex.device.SvmDevice;
import mmutex.layout.PteKind;
import mmutex.mm.Errno;
import mmutex.mm.PageMap.PageState;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import org.junit.jupiter.api.Test;

/** {@link Machine} and {@link Process}: wiring. */
class MachineTest {
    private final Emulation emulation = new Emulation();
    private final Machine machine = emulation.machine;
    private final Cpu cpu = emulation.cpu;

    @Test
    void shouldHaveItsCpus() {
        assertThat(machine.cpu(2).number()).isEqualTo(2);
        assertThat(machine.cpu(2)).hasToString("cpu2");
        assertThatThrownBy(() -> machine.cpu(3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(machine.spec().cpus()).isEqualTo(3);
    }

    @Test
    void shouldGiveEveryActorAnIdOfItsOwn() {
        final Set<Integer> ids = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            assertThat(ids.add(machine.cpu(i).id())).isTrue();
        }
        final Task task = machine.newTask("kswapd");
        assertThat(ids.add(task.id())).isTrue();
        assertThat(task).hasToString("kswapd");
        final SvmDevice device = machine.newDevice(cpu, emulation.process, 1, () -> 0);
        assertThat(ids.add(device.worker().id())).isTrue();
    }

    @Test
    void shouldKnowItsLivingAddressSpaces() {
        final Process other = machine.newProcess();
        assertThat(machine.spaces()).containsExactly(emulation.space, other.space());

        other.exit(cpu);
        assertThat(machine.spaces()).containsExactly(emulation.space);
    }

    /** Somebody in the middle of an operation keeps the address space; the last one to leave tears it down. */
    @Test
    void shouldTearDownOnlyWhenNobodyPinsIt() {
        emulation.mapWritten(0, 2);
        assertThat(emulation.space.tryPinUsers()).isTrue();
        cpu.run(null);

        emulation.process.exit(cpu);
        assertThat(emulation.space.isAlive()).isTrue();
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(2);
        assertThat(machine.spaces()).hasSize(1);

        SpaceTeardown.unpin(cpu, emulation.space);
        assertThat(emulation.space.isAlive()).isFalse();
        assertThat(emulation.platform.allocator().inUse()).isZero();
        assertThat(emulation.platform.tables().inUse()).isZero();
        assertThat(machine.spaces()).isEmpty();
    }

    @Test
    void shouldAddAndRemoveDevices() {
        final SvmDevice first = machine.newDevice(cpu, emulation.process, 1, () -> 0);
        final SvmDevice second = machine.newDevice(cpu, emulation.process, 3, () -> 0);

        assertThat(machine.devices()).containsExactly(first, second);
        assertThat(first.id()).isNotEqualTo(second.id());
        assertThat(second.lanes()).hasSize(3);
        machine.removeDevice(cpu, first);
        assertThat(machine.devices()).containsExactly(second);
        machine.removeDevice(cpu, second);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldReportTheStateOfPages() {
        emulation.map(0, 3, READ_WRITE);
        emulation.store(1, 5);
        emulation.load(2);

        assertThat(emulation.process.pagemap(cpu, addr(3)))
                .isEqualTo(new PageState(false, PteKind.NONE, false, false, 0, false, 0, false));
        assertThat(emulation.process.pagemap(cpu, addr(0)))
                .isEqualTo(new PageState(true, PteKind.NONE, true, false, 0, false, 0, false));
        assertThat(emulation.process.pagemap(cpu, addr(1)))
                .isEqualTo(new PageState(true, PteKind.PRESENT, true, false, emulation.frame(1), false, 1, false));
        assertThat(emulation.process.pagemap(cpu, addr(2)))
                .isEqualTo(new PageState(true, PteKind.PRESENT, true, false, 1, true, 0, false));
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(emulation.pte(0)).isEqualTo(emulation.encoding.empty()); // looking touches nothing
    }

    @Test
    void shouldReportForkWithoutRoomForTables() {
        final Emulation tight = new Emulation(SemanticProfile.K612, 64, 16);
        tight.mapWritten(0, 1);
        // Each process takes at least a root; use up the arena with empty ones.
        Process last = null;
        while (tight.platform.tables().inUse() < 15) {
            last = tight.machine.newProcess();
        }
        assertThat(tight.process.fork(tight.cpu)).isEqualTo(new Process.Forked(Errno.ENOMEM, null));
        last.exit(tight.cpu);
        // A root fits now, the rest of the path does not: the half-built child is gone afterwards.
        assertThat(tight.process.fork(tight.cpu)).isEqualTo(new Process.Forked(Errno.ENOMEM, null));
        assertThat(tight.platform.tables().inUse()).isEqualTo(14);
        tight.assertCounts(0, 1, 1);
        tight.assertSound();
    }

    @Test
    void shouldPassSystemCallsOn() {
        assertThat(emulation.process.mmap(cpu, BASE, 0, READ_WRITE)).isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.mmap(cpu, BASE, PAGE, READ_WRITE)).isEqualTo(Errno.OK);
        assertThat(emulation.process.mprotect(cpu, BASE, 2 * PAGE, 0)).isEqualTo(Errno.ENOMEM);
        assertThat(emulation.process.madvise(cpu, BASE, 2 * PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.ENOMEM);
        assertThat(emulation.process.munmap(cpu, BASE + 1, PAGE)).isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.munmap(cpu, BASE, PAGE)).isEqualTo(Errno.OK);
    }
}
