package mmutex.fault;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WriteProtectFaultTest {
    private final Emulation emulation = new Emulation();
    private final Cpu childCpu = emulation.machine.cpu(1);

    @Test
    void shouldCopyTheZeroPage() {
        emulation.map(0, 1, READ_WRITE);
        emulation.load(0);
        final List<Event> events = emulation.record();

        emulation.store(0, 5);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, 1, 0));
        emulation.assertCounts(0, 1, 1);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(emulation.encoding.isSpecial(emulation.pte(0))).isFalse();
        emulation.cpu.loadLong(BASE + 8);
        assertThat(emulation.cpu.value()).isZero();
        assertThat(emulation.platform.data().isZero(1)).isTrue(); // I30
    }

    @Test
    void shouldCopyAPageThatIsShared() {
        emulation.mapWritten(0, 1);
        emulation.store(0, 41);
        final long old = emulation.frame(0);
        final Process child = emulation.fork();
        final List<Event> events = emulation.record();

        emulation.store(0, 42);

        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, 1, 0));
        assertThat(emulation.frame(0)).isNotEqualTo(old);
        assertThat(emulation.frame(child, 0)).isEqualTo(old);
        emulation.assertCounts(0, 1, 1);
        assertThat(emulation.frames.refCount(old)).isEqualTo(1);
        assertThat(emulation.frames.mapCount(old)).isEqualTo(1);
        assertThat(emulation.process.rssAnonPages()).isEqualTo(1);
        assertThat(child.rssAnonPages()).isEqualTo(1);
        childCpu.run(child);
        childCpu.loadLong(BASE);
        assertThat(childCpu.value()).isEqualTo(41);
        childCpu.run(null);
        child.exit(emulation.cpu);
        emulation.assertNothingIsLeft();
    }

    /** Content beyond the written word is copied too. */
    @Test
    void shouldCopyTheWholePage() {
        emulation.map(0, 1, READ_WRITE);
        for (int offset = 0; offset < 4096; offset += 8) {
            emulation.cpu.storeLong(BASE + offset, offset);
        }
        emulation.fork();

        emulation.cpu.storeLong(BASE + 800, -1);

        for (int offset = 0; offset < 4096; offset += 8) {
            emulation.cpu.loadLong(BASE + offset);
            assertThat(emulation.cpu.value()).isEqualTo(offset == 800 ? -1 : offset);
        }
    }

    @Test
    void shouldReuseThePageOfTheLastUser() {
        emulation.mapWritten(0, 1);
        final long frame = emulation.frame(0);
        final Process child = emulation.fork();
        assertThat(emulation.frames.has(frame, FrameTable.ANON_EXCLUSIVE)).isFalse();
        child.exit(emulation.cpu);
        final List<Event> events = emulation.record();

        emulation.store(0, 9);

        assertThat(emulation.frame(0)).isEqualTo(frame);
        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(emulation.encoding.isDirty(emulation.pte(0))).isTrue();
        assertThat(emulation.frames.has(frame, FrameTable.ANON_EXCLUSIVE)).isTrue();
        assertThat(emulation.platform.pageLock().isLocked(frame)).isFalse();
        assertThat(events).isEmpty();
    }

    /** The survivor is the child: the page moves to its own anon_vma. */
    @Test
    void shouldMoveAReusedPageToItsOwner() {
        emulation.mapWritten(0, 1);
        final long frame = emulation.frame(0);
        final Process child = emulation.fork();
        emulation.store(0, 1); // the parent gets a copy
        childCpu.run(child);

        childCpu.storeLong(BASE, 2);

        assertThat(emulation.frame(child, 0)).isEqualTo(frame);
        assertThat(emulation.frames.mapping(frame))
                .isEqualTo(child.space().vmas().lookup(BASE).anonVma().id());
    }

    @Test
    void shouldCopyAPageThatSomebodyElseRefersTo() {
        emulation.mapWritten(0, 1);
        final long frame = emulation.frame(0);
        emulation.fork().exit(emulation.cpu);
        emulation.frames.get(frame); // as get_user_pages does

        emulation.store(0, 9);

        assertThat(emulation.frame(0)).isNotEqualTo(frame);
        assertThat(emulation.frames.refCount(frame)).isEqualTo(1);
        assertThat(emulation.frames.mapCount(frame)).isZero();
        emulation.platform.putPage(frame);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCopyAPageThatIsLocked() {
        emulation.mapWritten(0, 1);
        final long frame = emulation.frame(0);
        emulation.fork().exit(emulation.cpu);
        emulation.platform.pageLock().lock(childCpu, frame);

        emulation.store(0, 9);

        assertThat(emulation.frame(0)).isNotEqualTo(frame);
    }

    @Test
    void shouldReuseAnAnonExclusivePageWhateverItsCounts() {
        emulation.mapWritten(0, 1);
        final long frame = emulation.frame(0);
        makeReadOnlyInPlace();
        emulation.frames.get(frame);
        final List<Event> events = emulation.record();

        emulation.store(0, 3);

        assertThat(emulation.frame(0)).isEqualTo(frame);
        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(events).isEmpty();
    }

    private void makeReadOnlyInPlace() {
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, emulation.encoding.wrProtect(emulation.pte(0)));
        emulation.space.windows().flush(emulation.cpu);
    }

    /** Without the AnonExclusive bit reuse needs mapcount and refcount 1. */
    @Test
    void shouldReuseByCountsWhereThereIsNoBit() {
        final Emulation old = new Emulation(SemanticProfile.V9);
        old.mapWritten(0, 1);
        final long frame = old.frame(0);
        final Process child = old.fork();

        old.store(0, 1);
        assertThat(old.frame(0)).isNotEqualTo(frame);
        final Cpu cpu = old.machine.cpu(1);
        cpu.run(child);
        cpu.storeLong(BASE, 2);
        assertThat(old.frame(child, 0)).isEqualTo(frame);
        cpu.run(null);
        child.exit(old.cpu);
        old.assertNothingIsLeft();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldReportExhaustedFramesAndKeepTheOldPage(final boolean zero) {
        final Emulation small = new Emulation(SemanticProfile.K612, 20, 64);
        small.map(0, 1, READ_WRITE);
        if (zero) {
            small.load(0);
        } else {
            small.store(0, 33);
        }
        final long before = small.frame(0);
        final Process child = small.fork();
        small.map(10, 30, READ_WRITE);
        int page = 10;
        while (small.cpu.storeLong(addr(page), 1) == Signal.NONE) {
            page++;
        }
        final List<Event> events = small.record();

        assertThat(small.cpu.storeLong(BASE, 34)).isEqualTo(Signal.OUT_OF_MEMORY);

        assertThat(small.frame(0)).isEqualTo(before);
        assertThat(small.load(0)).isEqualTo(zero ? 0 : 33);
        assertThat(events).isEmpty();
        small.assertSound();
        child.exit(small.cpu);
        small.assertNothingIsLeft();
    }

    /** A read-only VMA is never made writable by a fault, whatever the page. */
    @Test
    void shouldNotConcernReadOnlyMappings() {
        emulation.mapWritten(0, 1);
        emulation.protect(0, 1, READ);

        assertThat(emulation.cpu.storeLong(BASE, 1)).isEqualTo(Signal.SEGV_ACCERR);
        assertThat(emulation.isWritable(0)).isFalse();
    }

    @Test
    void shouldLeaveUserfaultProtectedPagesToTheirHandler() {
        emulation.mapWritten(0, 1);
        emulation.space.mmapLock().writeLock(emulation.cpu);
        emulation
                .space
                .editor()
                .modify(
                        emulation.cpu,
                        emulation.space.vmas().lookup(BASE),
                        BASE,
                        addr(1),
                        emulation.space.vmas().lookup(BASE).flags() | VmFlags.UFFD_WP);
        emulation.space.mmapLock().writeUnlock(emulation.cpu);
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, emulation.encoding.mkUffdWp(emulation.pte(0)));
        emulation.space.windows().flush(emulation.cpu);

        assertThat(emulation.cpu.storeLong(BASE, 1)).isNotEqualTo(Signal.NONE);
        assertThat(emulation.encoding.isUffdWp(emulation.pte(0))).isTrue();
        assertThat(emulation.platform.pteLock().isLocked(slot)).isFalse();
        assertThat(emulation.load(0)).isZero();
    }
}
