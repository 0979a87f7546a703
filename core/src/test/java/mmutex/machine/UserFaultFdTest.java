package mmutex.machine;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation.Event;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.UserFaults.Message;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UserFaultFdTest {
    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private static byte[] page(final long value) {
        return ByteBuffer.allocate((int) PAGE)
                .order(ByteOrder.nativeOrder())
                .putLong(value)
                .array();
    }

    /** Answers every fault: fills missing pages with a word, removes write protection. Ends when the descriptor closes. */
    private static void answer(final UserFaultFd fd, final Task handler, final ConcurrentLinkedQueue<Message> seen) {
        for (Message fault = fd.await(handler); fault != null; fault = fd.await(handler)) {
            seen.add(fault);
            if (fault.writeProtect()) {
                fd.writeProtect(handler, fault.addr(), PAGE, false);
            } else {
                fd.copy(handler, fault.addr(), page(4242));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLetAHandlerFillMissingPages(final SemanticProfile profile) throws Exception {
        final Emulation emulation = new Emulation(profile);
        emulation.map(0, 4, READ_WRITE);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        assertThat(fd.register(emulation.cpu, addr(0), 4 * PAGE, true, false)).isEqualTo(Errno.OK);
        final ConcurrentLinkedQueue<Message> seen = new ConcurrentLinkedQueue<>();
        final Crew crew = new Crew();
        final Task handler = emulation.machine.newTask("handler");
        crew.start("handler", () -> answer(fd, handler, seen));

        assertThat(emulation.load(0)).isEqualTo(4242);
        emulation.store(1, 7);

        fd.close(emulation.cpu);
        crew.join();
        assertThat(seen).containsExactly(new Message(addr(0), false, false), new Message(addr(1), true, false));
        assertThat(emulation.load(1)).isEqualTo(7);
        assertThat(emulation.load(2)).as("no handler any more").isZero();
        emulation.assertNothingIsLeft();
    }

    /** The event is mprotect's, but the mmap lock is held shared. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldTellAHandlerOfWritesToProtectedPages(final SemanticProfile profile) throws Exception {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 2);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        fd.register(emulation.cpu, addr(0), 2 * PAGE, false, true);
        final List<Event> events = emulation.record();
        assertThat(fd.writeProtect(emulation.cpu, addr(0), 2 * PAGE, true)).isEqualTo(Errno.OK);
        assertThat(events).containsExactly(new Event(NotifierEvent.PROTECTION_VMA, 0, 2, 0));
        final ConcurrentLinkedQueue<Message> seen = new ConcurrentLinkedQueue<>();
        final Crew crew = new Crew();
        final Task handler = emulation.machine.newTask("handler");
        crew.start("handler", () -> answer(fd, handler, seen));

        assertThat(emulation.load(0)).isZero(); // reads are not its business
        emulation.store(1, 9);

        fd.close(emulation.cpu);
        crew.join();
        assertThat(seen).containsExactly(new Message(addr(1), true, true));
        assertThat(emulation.load(1)).isEqualTo(9);
        assertThat(emulation.encoding.isUffdWp(emulation.pte(0)))
                .as("marks end with the handler")
                .isFalse();
        emulation.assertNothingIsLeft();
    }

    /** Make may not wait for a handler: it fails, and nothing changes. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRefuseToMakeProtectedOrMissingPagesExclusive(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 1).map(1, 1, READ_WRITE);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        fd.register(emulation.cpu, addr(0), 2 * PAGE, true, true);
        fd.writeProtect(emulation.cpu, addr(0), PAGE, true);
        final MirrorHandle handle = emulation.open(0);
        final long before = emulation.pte(0);
        final Errno refused = profile.deviceReportsErrno() ? Errno.EFAULT : Errno.EBUSY;

        for (final long page : new long[] {0, 1}) {
            assertThat(handle.exclusive(emulation.cpu, addr(page), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                            .errno())
                    .isEqualTo(refused);
        }

        assertThat(emulation.pte(0)).isEqualTo(before);
        assertThat(emulation.kind(1)).isEqualTo(PteKind.NONE);
        assertThat(fd.poll(emulation.cpu)).isNull();
        fd.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    /** The mark on an exclusive entry comes back with the page: the restored entry is read-only, and its write is told. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepTheMarkOfAnExclusivePage(final SemanticProfile profile) throws Exception {
        final Emulation emulation = new Emulation(profile);
        emulation.mapWritten(0, 1);
        emulation.open(0).exclusive(emulation.cpu, addr(0), 1, DeviceBuffer.ofArray(new byte[(int) PAGE]));
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        fd.register(emulation.cpu, addr(0), PAGE, false, true);
        fd.writeProtect(emulation.cpu, addr(0), PAGE, true);
        assertThat(emulation.encoding.isSwapUffdWp(emulation.pte(0))).isTrue();
        final ConcurrentLinkedQueue<Message> seen = new ConcurrentLinkedQueue<>();
        final Crew crew = new Crew();
        final Task handler = emulation.machine.newTask("handler");
        crew.start("handler", () -> answer(fd, handler, seen));

        assertThat(emulation.load(0)).isZero();
        assertThat(emulation.encoding.isUffdWp(emulation.pte(0))).isTrue();
        assertThat(emulation.isWritable(0)).isFalse();
        emulation.store(0, 3);

        fd.close(emulation.cpu);
        crew.join();
        assertThat(seen).containsExactly(new Message(addr(0), true, true));
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldGiveFaultsASignalThatNobodyWillResolve() {
        final Emulation emulation = new Emulation();
        emulation.map(0, 1, READ_WRITE);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        fd.register(emulation.cpu, addr(0), PAGE, true, false);
        emulation.cpu.kill();

        assertThat(emulation.cpu.loadLong(addr(0))).isEqualTo(Signal.KILLED);

        emulation.cpu.revive();
        assertThat(fd.poll(emulation.cpu)).as("withdrawn").isNull();
        fd.close(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCheckWhatItIsAskedFor() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        final UserFaultFd other = new UserFaultFd(emulation.process);

        assertThat(fd.register(emulation.cpu, addr(0), PAGE, false, false)).isEqualTo(Errno.EINVAL);
        assertThat(fd.register(emulation.cpu, addr(9), PAGE, true, false)).isEqualTo(Errno.EINVAL);
        assertThat(fd.writeProtect(emulation.cpu, addr(0), PAGE, true)).isEqualTo(Errno.ENOENT);
        assertThat(fd.copy(emulation.cpu, addr(0), page(1))).isEqualTo(Errno.ENOENT);
        assertThat(fd.register(emulation.cpu, addr(0), PAGE, true, false)).isEqualTo(Errno.OK);
        assertThat(other.register(emulation.cpu, addr(0), 2 * PAGE, true, false))
                .isEqualTo(Errno.EBUSY);
        assertThat(fd.copy(emulation.cpu, addr(0), page(1))).isEqualTo(Errno.EEXIST);
        assertThat(emulation.space.vmas().size()).as("split by registration").isEqualTo(2);
        assertThat(fd.unregister(emulation.cpu, addr(0), PAGE)).isEqualTo(Errno.OK);
        assertThat(emulation.space.vmas().size()).isEqualTo(1);
        emulation.assertNothingIsLeft();
    }

    /** Neither a child nor a moved range has the handler, nor the marks that only he understands. */
    @Test
    void shouldNotBePassedOn() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        fd.register(emulation.cpu, addr(0), 2 * PAGE, true, true);
        fd.writeProtect(emulation.cpu, addr(0), 2 * PAGE, true);

        final Process child = emulation.fork();
        emulation.process.mremap(emulation.cpu, addr(0), 2 * PAGE, addr(50), false);

        assertThat(child.space().vmas().lookup(addr(0)).userFaults()).isNull();
        assertThat(emulation.encoding.isUffdWp(emulation.pte(child, 0))).isFalse();
        assertThat(emulation.space.vmas().lookup(addr(50)).userFaults()).isNull();
        assertThat(emulation.encoding.isUffdWp(emulation.pte(51))).isFalse();
        emulation.store(51, 4);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    /** Two CPUs fault on the same pages while the handler answers and a third task takes pages away again. */
    @Test
    void shouldNeverLoseAFault() throws Exception {
        final int rounds = 300;
        final Emulation emulation = new Emulation();
        emulation.map(0, 8, READ_WRITE);
        final UserFaultFd fd = new UserFaultFd(emulation.process);
        fd.register(emulation.cpu, addr(0), 8 * PAGE, true, true);
        final ConcurrentLinkedQueue<Message> seen = new ConcurrentLinkedQueue<>();
        final Crew handlers = new Crew();
        final Task handler = emulation.machine.newTask("handler");
        handlers.start("handler", () -> answer(fd, handler, seen));
        final Crew crew = new Crew();
        for (int number = 1; number <= 2; number++) {
            final Cpu cpu = emulation.machine.cpu(number);
            cpu.run(emulation.process);
            crew.start(cpu.name(), () -> {
                for (int round = 0; round < rounds; round++) {
                    assertThat(cpu.storeLong(addr(round & 7) + 8 * cpu.number(), round))
                            .isEqualTo(Signal.NONE);
                    assertThat(cpu.loadLong(addr(round & 7))).isEqualTo(Signal.NONE);
                    assertThat(cpu.value()).isEqualTo(4242);
                }
            });
        }
        final Task other = emulation.machine.newTask("other");
        crew.start("other", () -> {
            for (int round = 0; round < rounds; round++) {
                emulation.process.madvise(other, addr(round & 7), PAGE, Advice.DONTNEED);
                fd.writeProtect(other, addr(round + 3 & 7), PAGE, true);
            }
        });
        crew.join();
        fd.close(emulation.cpu);
        handlers.join();
        emulation.machine.cpu(1).run(null);
        emulation.machine.cpu(2).run(null);

        assertThat(seen).isNotEmpty();
        emulation.assertNothingIsLeft();
    }
}
