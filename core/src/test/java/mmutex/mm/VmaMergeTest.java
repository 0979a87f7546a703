package mmutex.mm;

import static org.assertj.core.api.Assertions.assertThat;

import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which VMAs become one, and in which order a reverse-map walk visits them. */
class VmaMergeTest {
    private static final long BASE = 0x1000_0000_0000L;
    private static final long PAGE = 4096;
    private static final long READ_ONLY = VmFlags.READ;
    private static final long READ_WRITE = VmFlags.READ | VmFlags.WRITE;

    private Machine machine;
    private Process process;
    private Cpu cpu;

    @BeforeEach
    void start() {
        start(SemanticProfile.K612);
    }

    private void start(final SemanticProfile profile) {
        machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(Delivery.INLINE)
                .withCpus(2));
        process = machine.newProcess();
        cpu = machine.cpu(0);
        cpu.run(process);
    }

    @Test
    void shouldMergeNeighboursWithTheSameFlags() {
        map(0, 2, READ_WRITE);
        write(cpu, 0);
        map(2, 2, READ_WRITE);

        assertThat(vmas()).isEqualTo(1);
    }

    @Test
    void shouldKeepMemoryApartThatIsAccountedForFromMemoryThatIsNot() {
        map(0, 2, READ_ONLY);
        map(2, 2, READ_WRITE);
        write(cpu, 2);

        protect(2, 2, READ_ONLY); // has a page, and so stays accounted for

        assertThat(vmas()).isEqualTo(2);
    }

    @Test
    void shouldGiveAccountingBackForMemoryThatWasNeverFaultedIn() {
        map(0, 2, READ_ONLY);
        map(2, 2, READ_WRITE);

        protect(2, 2, READ_ONLY);

        assertThat(vmas()).isEqualTo(1);
    }

    @Test
    void shouldKeepAccountingInOlderKernels() {
        start(SemanticProfile.K514);
        map(0, 2, READ_ONLY);
        map(2, 2, READ_WRITE);

        protect(2, 2, READ_ONLY);

        assertThat(vmas()).isEqualTo(2);
    }

    @Test
    void shouldMergeWhatBecomesWritable() {
        map(0, 2, READ_ONLY);
        map(2, 2, READ_WRITE);

        protect(0, 2, READ_WRITE);

        assertThat(vmas()).isEqualTo(1);
    }

    @Test
    void shouldMergeAFaultedVmaIntoAnUnfaultedOneInNewerKernelsOnly() {
        assertThat(vmasAfterFaultedOneBecomesLikeItsNeighbour()).isEqualTo(2);

        start(SemanticProfile.K615);
        assertThat(vmasAfterFaultedOneBecomesLikeItsNeighbour()).isEqualTo(1);
        assertThat(process.space().vmas().lookup(BASE).anonVma()).isNotNull();
    }

    private int vmasAfterFaultedOneBecomesLikeItsNeighbour() {
        map(0, 4, READ_WRITE);
        advise(2, 2, Advice.DONTFORK);
        write(cpu, 2);
        advise(2, 2, Advice.DOFORK);
        return vmas();
    }

    @Test
    void shouldNotifyTheParentOnlyWhileItsVmaStandsFirst() {
        assertThat(childKeepsItsPageWhileTheParentMakesItsOwnExclusive(false)).isTrue();
    }

    @Test
    void shouldNotifyTheChildFirstOnceTheParentsVmaWasResized() {
        assertThat(childKeepsItsPageWhileTheParentMakesItsOwnExclusive(true)).isFalse();
    }

    private boolean childKeepsItsPageWhileTheParentMakesItsOwnExclusive(final boolean resized) {
        map(0, 4, READ_WRITE);
        write(cpu, 0);
        final Process child = process.fork(cpu).child();
        final Cpu childCpu = machine.cpu(1);
        childCpu.run(child);
        final MirrorHandle own = machine.newMirrorDevice(0).open(childCpu, child.space());
        final MirrorHandle parents = machine.newMirrorDevice(1).open(cpu, process.space());
        assertThat(exclusive(own, childCpu)).isEqualTo(Errno.OK);
        if (resized) {
            protect(3, 1, READ_ONLY);
        }

        assertThat(exclusive(parents, cpu)).isEqualTo(Errno.OK);

        return own.checkExclusive(childCpu, BASE, 1).errno() == Errno.EPERM;
    }

    private static Errno exclusive(final MirrorHandle handle, final Cpu task) {
        return handle.exclusive(task, BASE, 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                .errno();
    }

    private int vmas() {
        return process.space().vmas().size();
    }

    private void map(final int page, final int pages, final long protection) {
        assertThat(process.mmap(cpu, BASE + page * PAGE, pages * PAGE, protection))
                .isEqualTo(Errno.OK);
    }

    private void protect(final int page, final int pages, final long protection) {
        assertThat(process.mprotect(cpu, BASE + page * PAGE, pages * PAGE, protection))
                .isEqualTo(Errno.OK);
    }

    private void advise(final int page, final int pages, final Advice advice) {
        assertThat(process.madvise(cpu, BASE + page * PAGE, pages * PAGE, advice))
                .isEqualTo(Errno.OK);
    }

    private static void write(final Cpu task, final int page) {
        assertThat(task.storeInt(BASE + page * PAGE, 1)).isEqualTo(Signal.NONE);
    }
}
