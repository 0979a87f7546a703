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
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ForkerTest {
    private final Emulation emulation = new Emulation();
    private final PteEncoding encoding = emulation.encoding;
    private final Cpu cpu = emulation.cpu;

    @Test
    void shouldShareTouchedPagesReadOnly() {
        emulation.mapWritten(0, 1);

        final Process child = emulation.fork();

        assertThat(emulation.frame(child, 0)).isEqualTo(emulation.frame(0));
        emulation.assertCounts(0, 2, 2);
        assertThat(emulation.frames.has(emulation.frame(0), FrameTable.ANON_EXCLUSIVE))
                .isFalse();
        for (final Process process : List.of(emulation.process, child)) {
            final long pte = emulation.pte(process, 0);
            assertThat(encoding.isPresent(pte)).isTrue();
            assertThat(encoding.isWritable(pte)).isFalse();
            assertThat(encoding.isDirty(pte)).isTrue();
            assertThat(process.rssAnonPages()).isEqualTo(1);
        }
        assertThat(encoding.isYoung(emulation.pte(0))).isTrue();
        assertThat(encoding.isYoung(emulation.pte(child, 0))).isFalse();
        child.exit(cpu);
        emulation.assertCounts(0, 1, 1);
        emulation.assertNothingIsLeft();
    }

    /** E5: the whole VMA, if anything in it was ever written. */
    @Test
    void shouldSendASpanPerMappingThatHasPages() {
        emulation.mapWritten(0, 3);
        emulation.map(10, 2, READ);
        emulation.load(10);
        final List<Event> events = emulation.record();

        emulation.fork();

        assertThat(events).containsExactly(new Event(NotifierEvent.PROTECTION_PAGE, 0, 3, 0));
    }

    /** Without anon_vma faults can fill everything in again. */
    @Test
    void shouldNotCopyMappingsThatWereNeverWritten() {
        emulation.map(0, 2, READ_WRITE);
        emulation.load(0);

        final Process child = emulation.fork();

        assertThat(child.space().vmas().size()).isEqualTo(1);
        assertThat(emulation.pte(child, 0)).isEqualTo(encoding.empty());
        assertThat(emulation.platform.tables().inUse()).isEqualTo(4 + 1);
    }

    @Test
    void shouldShareTheZeroPageUncounted() {
        emulation.mapWritten(0, 1);
        emulation.map(1, 1, READ_WRITE);
        emulation.load(1);
        assertThat(emulation.space.vmas().size()).isEqualTo(1);

        final Process child = emulation.fork();

        assertThat(emulation.frame(child, 1)).isEqualTo(1);
        assertThat(encoding.isSpecial(emulation.pte(child, 1))).isTrue();
        assertThat(child.rssAnonPages()).isEqualTo(1);
        assertThat(emulation.frames.refCount(1)).isZero();
    }

    @Test
    void shouldIsolateParentChildAndGrandchild() {
        emulation.mapWritten(0, 1);
        final Process child = emulation.fork();
        final Cpu childCpu = emulation.machine.cpu(1);
        final Cpu grandCpu = emulation.machine.cpu(2);
        childCpu.run(child);
        final Process.Forked forked = child.fork(childCpu);
        grandCpu.run(forked.child());
        emulation.assertCounts(0, 3, 3);

        emulation.store(0, 100);
        childCpu.storeLong(BASE, 200);
        grandCpu.storeLong(BASE, 300);

        assertThat(emulation.load(0)).isEqualTo(100);
        childCpu.loadLong(BASE);
        assertThat(childCpu.value()).isEqualTo(200);
        grandCpu.loadLong(BASE);
        assertThat(grandCpu.value()).isEqualTo(300);
        emulation.assertSound();
        childCpu.run(null);
        grandCpu.run(null);
        child.exit(cpu);
        forked.child().exit(cpu);
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldCopyMappingsWithTheirFlags() {
        emulation.map(0, 1, READ);
        emulation.mapWritten(1, 1);
        emulation.space.mmapLock().writeLock(cpu);
        emulation
                .space
                .editor()
                .modify(
                        cpu,
                        emulation.space.vmas().lookup(addr(1)),
                        addr(1),
                        addr(2),
                        emulation.space.vmas().lookup(addr(1)).flags() | VmFlags.LOCKED);
        emulation.space.mmapLock().writeUnlock(cpu);

        final Process child = emulation.fork();

        assertThat(child.space().vmas().lookup(addr(0)).flags())
                .isEqualTo(emulation.space.vmas().lookup(addr(0)).flags());
        // Locks are not inherited.
        assertThat(child.space().vmas().lookup(addr(1)).has(VmFlags.LOCKED)).isFalse();
        assertThat(child.space().vmas().lookup(addr(1)).pageOffset())
                .isEqualTo(emulation.space.vmas().lookup(addr(1)).pageOffset());
    }

    // ---- exclusive pages
    // ----------------------------------------------------------------------------------------------

    private static void makeExclusive(final Emulation in, final long pages) {
        final MirrorHandle device = in.open(0);
        final byte[] mirror = new byte[(int) (pages * PAGE)];
        assertThat(device.exclusive(in.cpu, BASE, pages, DeviceBuffer.ofArray(mirror))
                        .errno())
                .isEqualTo(Errno.OK);
    }

    /** I20. */
    @ParameterizedTest
    @ValueSource(strings = {"V9", "K514", "K612", "K615"})
    void shouldRestoreExclusivePagesAndThenShareThem(final String profile) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 2);
        makeExclusive(other, 2);
        final List<Event> events = other.record();

        final Process child = other.fork();

        assertThat(events).containsExactly(new Event(NotifierEvent.PROTECTION_PAGE, 0, 2, 0));
        for (int page = 0; page < 2; page++) {
            assertThat(other.encoding.isPresent(other.pte(page))).isTrue();
            assertThat(other.isWritable(page)).isFalse();
            assertThat(other.frame(child, page)).isEqualTo(other.frame(page));
            other.assertCounts(page, 2, 2);
            assertThat(other.platform.pageLock().isLocked(other.frame(page))).isFalse();
        }
        assertThat(child.rssAnonPages()).isEqualTo(2);
        child.exit(other.cpu);
        other.assertNothingIsLeft();
    }

    /** V3: both sides keep a readable entry. */
    @Test
    void shouldCopyExclusiveEntriesInTheFirstSeries() {
        final Emulation other = new Emulation(SemanticProfile.V3);
        other.mapWritten(0, 1);
        makeExclusive(other, 1);

        final Process child = other.fork();

        assertThat(other.kind(0)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
        assertThat(other.pte(child, 0)).isEqualTo(other.pte(0));
        assertThat(other.frames.refCount(other.frame(0))).isEqualTo(2);
        assertThat(other.frames.mapCount(other.frame(0))).isZero();
        assertThat(child.rssAnonPages()).isEqualTo(1);
        final Cpu childCpu = other.machine.cpu(1);
        childCpu.run(child);
        childCpu.storeLong(BASE, 9);
        assertThat(other.load(0)).isZero();
        childCpu.run(null);
        child.exit(other.cpu);
        other.assertNothingIsLeft();
    }

    /** Q10, I34: the pages before the locked one stay restored, the child is gone, all counts balance. */
    @ParameterizedTest
    @ValueSource(strings = {"V9", "K514", "K612", "K615"})
    void shouldFailOnALockedExclusivePage(final String profile) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 3);
        makeExclusive(other, 3);
        final Task driver = other.machine.newTask("driver");
        final long locked = other.frame(1);
        final long tables = other.platform.tables().inUse();
        other.platform.pageLock().lock(driver, locked);

        assertThat(other.process.fork(other.cpu)).isEqualTo(new Process.Forked(Errno.ENOMEM, null));

        assertThat(other.encoding.isPresent(other.pte(0))).isTrue();
        assertThat(other.kind(1).isDeviceExclusive()).isTrue();
        assertThat(other.kind(2).isDeviceExclusive()).isTrue();
        for (int page = 0; page < 3; page++) {
            assertThat(other.frames.refCount(other.frame(page))).isEqualTo(1);
        }
        assertThat(other.platform.tables().inUse()).isEqualTo(tables);
        assertThat(other.machine.spaces()).hasSize(1);
        other.platform.pageLock().unlock(driver, locked);
        other.assertSound();

        final Process child = other.fork();
        assertThat(child.rssAnonPages()).isEqualTo(3);
        child.exit(other.cpu);
        other.assertNothingIsLeft();
    }

    /** A page lock on an ordinary page doesn't matter. */
    @Test
    void shouldNotCareForTheLockOfAPresentPage() {
        emulation.mapWritten(0, 1);
        emulation.platform.pageLock().lock(emulation.machine.newTask("reclaim"), emulation.frame(0));

        assertThat(emulation.fork().rssAnonPages()).isEqualTo(1);
    }

    @Test
    void shouldFailWithoutRoomForTables() {
        final Emulation tight = new Emulation(SemanticProfile.K612, 64, 17);
        tight.mapWritten(0, 2);
        final long far = 1L << 27;
        for (int i = 1; i <= 3; i++) {
            tight.map(i * far, 1, READ_WRITE);
            tight.store(i * far, i);
        }
        assertThat(tight.platform.tables().inUse()).isEqualTo(13);

        assertThat(tight.process.fork(tight.cpu)).isEqualTo(new Process.Forked(Errno.ENOMEM, null));

        assertThat(tight.platform.tables().inUse()).isEqualTo(13);
        tight.assertCounts(0, 1, 1);
        tight.assertCounts(3 * far, 1, 1);
        tight.assertNothingIsLeft();
    }

    /** fork needs no frames: pages are shared. */
    @Test
    void shouldNotNeedFrames() {
        final Emulation tight = new Emulation(SemanticProfile.K612, 16, 64);
        tight.mapWritten(0, 14);

        final Process child = tight.fork();

        assertThat(child.rssAnonPages()).isEqualTo(14);
        child.exit(tight.cpu);
        tight.assertNothingIsLeft();
    }
}
