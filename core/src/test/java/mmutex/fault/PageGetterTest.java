package mmutex.fault;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;

class PageGetterTest {
    private Emulation emulation = new Emulation();
    private final Task task = new Task(99, "gup");
    private final long[] frames = new long[8];

    private int get(final long first, final int count, final boolean write) {
        emulation.space.mmapLock().readLock(task);
        final int got = PageGetter.getPages(task, emulation.space, addr(first), count, write, frames);
        emulation.space.mmapLock().readUnlock(task);
        return got;
    }

    private void putAll(final int count) {
        for (int i = 0; i < count; i++) {
            emulation.platform.putPage(frames[i]);
        }
    }

    @Test
    void shouldReferencePresentPages() {
        emulation.mapWritten(0, 3);
        final long faults = task.minorFaults();

        assertThat(get(0, 3, true)).isEqualTo(3);

        for (int page = 0; page < 3; page++) {
            assertThat(frames[page]).isEqualTo(emulation.frame(page));
            emulation.assertCounts(page, 2, 1);
        }
        assertThat(task.minorFaults()).isEqualTo(faults);
        putAll(3);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldFaultInWhatIsMissing() {
        emulation.map(0, 2, READ_WRITE);

        assertThat(get(0, 2, true)).isEqualTo(2);

        emulation.assertCounts(0, 2, 1);
        assertThat(emulation.isWritable(1)).isTrue();
        assertThat(task.minorFaults()).isEqualTo(2);
        putAll(2);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldServeReadsWithTheZeroFrameUncounted() {
        emulation.map(0, 1, READ_WRITE);

        assertThat(get(0, 1, false)).isEqualTo(1);

        assertThat(frames[0]).isEqualTo(FrameAllocator.ZERO_FRAME);
        assertThat(emulation.frames.refCount(FrameAllocator.ZERO_FRAME)).isZero();
        putAll(1);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldGetNothingWhenNothingIsWanted() {
        assertThat(get(0, 0, true)).isZero();
    }

    @Test
    void shouldStopShortAtAHole() {
        emulation.mapWritten(0, 2);
        emulation.mapWritten(3, 1);

        assertThat(get(0, 4, true)).isEqualTo(2);
        putAll(2);
        assertThat(get(2, 2, true)).isEqualTo(-Errno.EFAULT.ordinal());
    }

    @Test
    void shouldCrossFromOneMappingIntoTheNext() {
        emulation.mapWritten(0, 2);
        emulation.mapWritten(2, 2);
        emulation.protect(1, 1, READ);

        assertThat(get(0, 4, false)).isEqualTo(4);
        putAll(4);
        assertThat(get(0, 4, true)).isEqualTo(1);
        putAll(1);
        assertThat(get(1, 3, true)).isEqualTo(-Errno.EFAULT.ordinal());
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldRefuseWhatTheMappingForbids() {
        emulation.map(0, 1, 0);
        emulation.map(1, 1, READ);
        emulation.map(2, 1, READ_WRITE);
        emulation.space.mmapLock().writeLock(task);
        emulation
                .space
                .editor()
                .modify(
                        task,
                        emulation.space.vmas().lookup(addr(2)),
                        addr(2),
                        addr(3),
                        VmFlags.READ | VmFlags.WRITE | VmFlags.PFNMAP);
        emulation.space.mmapLock().writeUnlock(task);

        assertThat(get(0, 1, false)).isEqualTo(-Errno.EFAULT.ordinal());
        assertThat(get(1, 1, true)).isEqualTo(-Errno.EFAULT.ordinal());
        assertThat(get(2, 1, false)).isEqualTo(-Errno.EFAULT.ordinal());
        assertThat(get(1, 1, false)).isEqualTo(1);
    }

    @Test
    void shouldGiveUpOnASignal() {
        emulation.mapWritten(0, 2);
        task.kill();

        assertThat(get(0, 2, true)).isEqualTo(-Errno.EINTR.ordinal());
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldReportExhaustedFramesOrStopShort() {
        emulation = new Emulation(SemanticProfile.K612, 16, 64);
        emulation.map(0, 20, READ_WRITE);
        for (int page = 0; page < 12; page++) {
            emulation.store(page, 1);
        }

        assertThat(get(10, 8, true)).isEqualTo(4); // two are there, two frames are left
        putAll(4);
        assertThat(get(14, 1, true)).isEqualTo(-Errno.ENOMEM.ordinal());
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldReportPoison() {
        emulation.mapWritten(0, 1);
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, emulation.encoding.frameEntry(PteKind.HWPOISON, 5));
        emulation.space.windows().flush(task);

        assertThat(get(0, 1, false)).isEqualTo(-Errno.EHWPOISON.ordinal());
        assertThat(emulation.cpu.loadLong(BASE)).isEqualTo(Signal.BUS_MCEERR_AR);
    }

    @Test
    void shouldCopyASharedPageBeforeAWrite() {
        emulation.mapWritten(0, 1);
        final long shared = emulation.frame(0);
        final Process child = emulation.fork();
        final List<Event> events = emulation.record();

        assertThat(get(0, 1, false)).isEqualTo(1);
        assertThat(frames[0]).isEqualTo(shared);
        putAll(1);
        assertThat(get(0, 1, true)).isEqualTo(1);

        assertThat(frames[0]).isNotEqualTo(shared);
        assertThat(emulation.frame(child, 0)).isEqualTo(shared);
        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, 1, 0));
    }

    @Test
    void shouldRestoreAnExclusivePageFirst() {
        emulation.mapWritten(0, 1);
        emulation.space.mmapLock().readLock(task);
        ExclusiveMaker.makeRange(task, emulation.space, BASE, 1, 5, frames);
        emulation.space.mmapLock().readUnlock(task);
        emulation.platform.pageLock().unlock(task, frames[0]);
        emulation.platform.putPage(frames[0]);
        final List<Event> events = emulation.record();

        assertThat(get(0, 1, true)).isEqualTo(1);

        assertThat(emulation.isWritable(0)).isTrue();
        assertThat(events).containsExactly(new Event(NotifierEvent.EXCLUSIVE, 0, 1, 0));
    }

    /** FOLL_TOUCH: who writes through the reference leaves no trace in the entry. */
    @Test
    void shouldMarkTheFrameDirtyIfNothingElseSaysSo() {
        emulation.mapWritten(0, 2);
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, emulation.encoding.mkClean(emulation.pte(0)));
        emulation.space.windows().flush(task);

        assertThat(get(0, 2, false)).isEqualTo(2);
        assertThat(emulation.frames.has(frames[0], FrameTable.DIRTY)).isFalse();
        assertThat(get(0, 2, true)).isEqualTo(2);

        assertThat(emulation.frames.has(frames[0], FrameTable.DIRTY)).isTrue();
        assertThat(emulation.frames.has(frames[1], FrameTable.DIRTY)).isFalse(); // its entry is dirty
    }
}
