package mmutex.fault;

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
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.HugePagePool;
import mmutex.mm.SemanticProfile;
import mmutex.notify.NotifierEvent;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Private hugetlb mappings: huge pages of 512 frames. {@link Emulation#BASE} is aligned to them. */
@HangGuard
class HugePageFaultTest {
    private static final int HUGE = 512;

    private Emulation emulation;
    private HugePagePool pool;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    private void begin(final SemanticProfile profile, final int pages) {
        emulation = new Emulation(profile, 4096, 128);
        pool = emulation.platform.hugePages();
        assertThat(emulation.machine.reserveHugePages(emulation.cpu, pages)).isTrue();
    }

    private void map(final int hugePages, final long protection) {
        assertThat(emulation.process.mmapHuge(emulation.cpu, BASE, hugePages * HUGE * PAGE, protection))
                .isEqualTo(Errno.OK);
    }

    /** All but the pool's frames are gone. */
    private void finish() {
        emulation.assertSound();
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);
        assertThat(pool.free(emulation.cpu)).isEqualTo(pool.size(emulation.cpu));
        assertThat(pool.reserve(emulation.cpu, pool.size(emulation.cpu))).isTrue(); // no promise is left
        assertThat(emulation.platform.allocator().inUse()).isEqualTo((long) pool.size(emulation.cpu) * HUGE);
        assertThat(emulation.platform.tables().inUse()).isZero();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapAHugePageByOneFault(final SemanticProfile profile) {
        begin(profile, 2);
        map(1, READ_WRITE);
        emulation.store(5, 7);
        assertThat(emulation.cpu.minorFaults()).isEqualTo(1);
        for (int page = 0; page < HUGE; page++) {
            assertThat(emulation.isWritable(page)).isTrue();
        }
        assertThat(emulation.load(511)).isZero();
        assertThat(emulation.load(5)).isEqualTo(7);
        assertThat(emulation.cpu.minorFaults()).isEqualTo(1);
        assertThat(emulation.process.rssAnonPages() + emulation.process.rssFilePages())
                .isZero();
        assertThat(pool.free(emulation.cpu)).isEqualTo(1);
        emulation.assertSound();
        emulation.process.munmap(emulation.cpu, BASE, HUGE * PAGE);
        assertThat(pool.free(emulation.cpu)).isEqualTo(2);
        map(1, READ_WRITE);
        assertThat(emulation.load(5)).isZero(); // the same page, zeroed
        finish();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReuseItsPageOnTheFirstWrite(final SemanticProfile profile) {
        begin(profile, 1);
        map(1, READ_WRITE);
        emulation.load(3);
        assertThat(emulation.isWritable(3)).isFalse();
        final long frame = emulation.frame(3);
        emulation.store(9, 1);
        assertThat(emulation.frame(3)).isEqualTo(frame);
        assertThat(emulation.isWritable(3)).isTrue();
        finish();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyAfterFork(final SemanticProfile profile) {
        begin(profile, 2);
        map(1, READ_WRITE);
        emulation.store(5, 7);
        final Process child = emulation.fork();
        emulation.assertSound();
        assertThat(emulation.isWritable(5)).isFalse();
        final List<Event> events = emulation.record();
        emulation.store(6, 8);
        assertThat(events).containsExactly(new Event(NotifierEvent.CLEAR, 0, HUGE, 0));
        assertThat(emulation.load(5)).isEqualTo(7);
        assertThat(emulation.frame(child, 5)).isNotEqualTo(emulation.frame(5));
        final Cpu other = emulation.machine.cpu(1);
        other.run(child);
        assertThat(other.storeLong(addr(5), 9)).isEqualTo(Signal.NONE); // alone now: reused
        assertThat(emulation.load(5)).isEqualTo(7);
        assertThat(child.rssAnonPages()).isZero();
        emulation.assertSound();
        other.run(null);
        child.exit(emulation.cpu);
        finish();
    }

    /** A pin for reading needs the page to be the process's own: copied if it is shared, else merely marked. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldGivePagesToPins(final SemanticProfile profile) {
        begin(profile, 2);
        map(1, READ_WRITE);
        emulation.store(5, 7);
        final Process child = emulation.fork();
        final long shared = emulation.frame(5);
        final byte[] word = new byte[8];

        assertThat(emulation.process.readPinned(emulation.cpu, addr(5), word)).isEqualTo(8);

        assertThat(word[0]).isEqualTo((byte) 7);
        final boolean copies = profile.hasAnonExclusive();
        assertThat(emulation.frame(5) != shared).isEqualTo(copies);
        assertThat(emulation.isWritable(5)).isFalse();
        emulation.assertSound();
        final Cpu other = emulation.machine.cpu(1);
        other.run(child);
        assertThat(child.readPinned(other, addr(6), word)).isEqualTo(8);
        assertThat(emulation.frame(child, 5)).isEqualTo(shared);
        other.run(null);
        child.exit(emulation.cpu);
        finish();
    }

    @Test
    void shouldSignalWhereAForkFindsNoPage() {
        begin(SemanticProfile.K612, 1);
        map(1, READ_WRITE);
        emulation.store(5, 7);
        final Process child = emulation.fork();
        assertThat(emulation.cpu.storeLong(addr(5), 8)).isEqualTo(Signal.BUS_ADRERR);
        assertThat(emulation.load(5)).isEqualTo(7);
        child.exit(emulation.cpu);
        emulation.store(5, 8);
        finish();
    }

    @Test
    void shouldPromisePagesToMappings() {
        begin(SemanticProfile.K612, 2);
        map(2, READ_WRITE);
        assertThat(emulation.process.mmapHuge(emulation.cpu, addr(4 * HUGE), HUGE * PAGE, READ))
                .isEqualTo(Errno.ENOMEM);
        emulation.store(0, 1);
        emulation.store(HUGE, 1);
        assertThat(pool.free(emulation.cpu)).isZero();
        assertThat(emulation.machine.reserveHugePages(emulation.cpu, 100)).isFalse(); // more than there is memory
        assertThat(pool.size(emulation.cpu)).isEqualTo(2);
        finish();
    }

    @Test
    void shouldNotDivideAHugePage() {
        begin(SemanticProfile.K612, 2);
        map(2, READ_WRITE);
        emulation.store(0, 1);
        emulation.store(HUGE, 2);
        assertThat(emulation.process.munmap(emulation.cpu, addr(1), PAGE)).isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.mprotect(emulation.cpu, BASE, PAGE, READ)).isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.madvise(emulation.cpu, addr(1), PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.madvise(emulation.cpu, addr(1), PAGE, Advice.DONTFORK))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.madvise(emulation.cpu, addr(1), PAGE, Advice.COLD))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.mlock(emulation.cpu, addr(1), PAGE)).isEqualTo(Errno.OK); // changes nothing
        assertThat(emulation.process.mremap(emulation.cpu, BASE, HUGE * PAGE, addr(8 * HUGE + 1), false))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.mmapOver(emulation.cpu, addr(3), PAGE, READ))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.space.vmas().size()).isEqualTo(1);
        assertThat(emulation.process.munmap(emulation.cpu, BASE, HUGE * PAGE)).isEqualTo(Errno.OK);
        assertThat(emulation.load(HUGE)).isEqualTo(2);
        emulation.protect(HUGE, HUGE, READ);
        emulation.protect(HUGE, HUGE, READ_WRITE);
        assertThat(emulation.isWritable(HUGE)).isFalse(); // not upgraded: the next write reuses
        emulation.store(HUGE, 3);
        assertThat(emulation.process.madvise(emulation.cpu, addr(HUGE), HUGE * PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);
        assertThat(emulation.kind(HUGE)).isEqualTo(PteKind.NONE);
        finish();
    }

    /** hugetlb and mremap: refused until 5.15, the destination being gone already; later page by page of its own size. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveWholeHugePagesWhereTheKernelCan(final SemanticProfile profile) {
        begin(profile, 2);
        map(2, READ_WRITE);
        emulation.store(3, 33);
        emulation.store(HUGE + 3, 44);
        final boolean moves = profile.hugetlbMovesAndDiscards();
        assertThat(emulation.process.mremap(emulation.cpu, BASE, HUGE * PAGE, addr(8 * HUGE), true))
                .isEqualTo(Errno.EINVAL);
        assertThat(emulation.process.mremap(emulation.cpu, addr(1), PAGE, addr(8 * HUGE), false))
                .isEqualTo(Errno.EINVAL);

        // A page's length is a huge page's.
        assertThat(emulation.process.mremap(emulation.cpu, BASE, PAGE, addr(8 * HUGE), false))
                .isEqualTo(moves ? Errno.OK : Errno.EINVAL);

        final long at = moves ? 8 * HUGE : 0;
        assertThat(emulation.load(at + 3)).isEqualTo(33);
        assertThat(emulation.load(HUGE + 3)).isEqualTo(44);
        assertThat(emulation.cpu.loadLong(addr(moves ? 3 : 8 * HUGE + 3))).isEqualTo(Signal.SEGV_MAPERR);
        emulation.store(at + 3, 34);
        final Process child = emulation.fork();
        emulation.cpu.run(child);
        assertThat(emulation.load(at + 3)).isEqualTo(34);
        emulation.cpu.run(emulation.process);
        child.exit(emulation.cpu);
        finish();
    }

    /** MADV_DONTNEED: refused until 5.17; later it discards whole huge pages only. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldDiscardWholeHugePagesWhereTheKernelCan(final SemanticProfile profile) {
        begin(profile, 2);
        map(2, READ_WRITE);
        emulation.store(3, 33);
        emulation.store(HUGE + 3, 44);
        final boolean discards = profile.hugetlbMovesAndDiscards();

        assertThat(emulation.process.madvise(emulation.cpu, BASE, (HUGE + 1) * PAGE, Advice.DONTNEED))
                .isEqualTo(discards ? Errno.OK : Errno.EINVAL);
        assertThat(emulation.process.madvise(emulation.cpu, addr(HUGE), PAGE, Advice.DONTNEED))
                .isEqualTo(discards ? Errno.OK : Errno.EINVAL);

        assertThat(emulation.load(3)).isEqualTo(discards ? 0 : 33);
        assertThat(emulation.load(HUGE + 3)).isEqualTo(44);
        finish();
    }

    /** What is meant for other memory than huge pages that are set apart. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldRefuseWhatHugePagesAreNotFor(final SemanticProfile profile) {
        begin(profile, 1);
        map(1, READ_WRITE);
        emulation.store(3, 33);
        final MirrorHandle device = emulation.open(0);
        final byte[] mirror = new byte[(int) PAGE];

        for (final Advice advice : new Advice[] {Advice.FREE, Advice.COLD, Advice.PAGEOUT, Advice.COLLAPSE}) {
            assertThat(emulation.process.madvise(emulation.cpu, BASE, HUGE * PAGE, advice))
                    .as("%s", advice)
                    .isEqualTo(Errno.EINVAL);
        }
        assertThat(emulation.process.madvise(emulation.cpu, BASE, HUGE * PAGE, Advice.MERGEABLE))
                .as("ignored")
                .isEqualTo(Errno.OK);
        // CX: up to 6.14 every failure is EBUSY.
        assertThat(device.exclusive(emulation.cpu, addr(3), 1, DeviceBuffer.ofArray(mirror))
                        .errno())
                .isEqualTo(profile.deviceReportsErrno() ? Errno.EOPNOTSUPP : Errno.EBUSY);
        assertThat(device.migrateToDevice(emulation.cpu, addr(3), 1, DeviceBuffer.ofArray(mirror))
                        .errno())
                .isEqualTo(Errno.EINVAL);

        assertThat(emulation.load(3)).isEqualTo(33);
        assertThat(emulation.kind(3)).isEqualTo(PteKind.PRESENT);
        emulation.assertSound();
        device.close(emulation.cpu);
        finish();
    }

    @Test
    void shouldNotHandOutAPageThatSomebodyStillHolds() {
        begin(SemanticProfile.K612, 1);
        map(1, READ_WRITE);
        emulation.store(5, 7);
        final long[] held = new long[1];
        emulation.space.mmapLock().readLock(emulation.cpu);
        assertThat(PageGetter.getPages(
                        emulation.cpu, emulation.space, addr(5), 1, GupFlags.WRITE | GupFlags.SPLIT_PMD, held))
                .isEqualTo(-Errno.EOPNOTSUPP.ordinal());
        assertThat(PageGetter.getPages(emulation.cpu, emulation.space, addr(5), 1, true, held))
                .isEqualTo(1);
        emulation.space.mmapLock().readUnlock(emulation.cpu);
        emulation.process.munmap(emulation.cpu, BASE, HUGE * PAGE);
        assertThat(pool.take(emulation.cpu, false)).isEqualTo(HugePagePool.NONE);
        emulation.platform.putPage(held[0]);
        assertThat(pool.take(emulation.cpu, false)).isZero();
        pool.release(emulation.cpu, 0);
        finish();
    }

    /** One page is promised, so two faults must not take two. */
    @Test
    void shouldTakeOnePageForTwoFaults() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            begin(SemanticProfile.K612, 1);
            map(1, READ_WRITE);
            final Crew crew = new Crew();
            crew.startTogether(2, number -> {
                final Cpu cpu = emulation.machine.cpu(number + 1);
                cpu.run(emulation.process);
                assertThat(cpu.fetchAddLong(addr(7), 1)).isEqualTo(Signal.NONE);
                cpu.run(null);
            });
            crew.join();
            assertThat(emulation.load(7)).isEqualTo(2);
            finish();
        }
    }
}
