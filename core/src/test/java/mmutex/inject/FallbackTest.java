package mmutex.inject;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What does without memory that it can't have, and what is no system call and so has no errno. */
@HangGuard
class FallbackTest {
    private static final int HUGE = 512;

    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    /** No run of frames: small pages; for a read, the small page of zeroes. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMapSmallPagesWithoutARunOfFrames(final SemanticProfile profile) {
        final Scene scene = new Scene(profile, 1 << 11);
        scene.mapHuge();
        final Hoard runs = Hoard.ofCompoundPages(scene.emulation.platform, 0);

        assertThat(scene.loadAll()).isEqualTo(Signal.NONE);
        assertThat(scene.isHuge()).isFalse();
        assertThat(scene.storeAll()).isEqualTo(Signal.NONE);

        assertThat(scene.emulation.process.rssAnonPages()).isEqualTo(Scene.PAGES);
        runs.release();
        scene.assertSound();
        scene.assertNothingIsLeft();
    }

    /** 7.3 replaces the zeroes by a huge page; without a run it splits them, as earlier kernels always do. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSplitTheHugeZeroPageWithoutARunOfFrames(final SemanticProfile profile) {
        final Scene scene = new Scene(profile, 1 << 11);
        scene.mapHugeZero();
        final Hoard runs = Hoard.ofCompoundPages(scene.emulation.platform, 0);

        assertThat(scene.storeAll()).isEqualTo(Signal.NONE);

        assertThat(scene.isHuge()).isFalse();
        assertThat(scene.emulation.process.rssAnonPages()).isEqualTo(Scene.PAGES);
        runs.release();
        scene.assertSound();
        scene.assertNothingIsLeft();
    }

    /** Huge pages for the pool: all, or none is missing from memory afterwards. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSetNothingApartIfNotAllCanBe(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile, 1 << 11, 96);
        for (final int left : new int[] {0, 1, HUGE - 1, HUGE, 2 * HUGE - 1}) {
            final Hoard hoard = Hoard.ofFrames(emulation.platform, left);
            final long inUse = emulation.platform.allocator().inUse();

            assertThat(emulation.machine.reserveHugePages(emulation.cpu, 2)).isFalse();

            assertThat(emulation.platform.allocator().inUse()).isEqualTo(inUse);
            assertThat(emulation.platform.hugePages().size(emulation.cpu)).isZero();
            hoard.release();
        }
        assertThat(emulation.machine.reserveHugePages(emulation.cpu, 2)).isTrue();
        emulation.assertNothingIsLeft();
    }

    @Test
    void shouldRefuseWhatIsNoSystemCall() {
        final Emulation emulation = new Emulation();
        final Hoard hoard = Hoard.ofTables(emulation.platform, 0);

        assertThatThrownBy(emulation.machine::newProcess)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no room for a root table");
        assertThatThrownBy(() -> emulation.machine.newFile(emulation.cpu, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no room for a root table");

        hoard.release();
        assertThat(emulation.machine.spaces()).hasSize(1);
        assertThat(emulation.platform.files()).isEmpty();
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMoveNothingWithoutRoom(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile, 96, 96);
        final long low = emulation.platform.allocator().allocate();
        emulation.mapWritten(0, 4);
        final Hoard hoard = Hoard.ofFrames(emulation.platform, 0);
        final long pte = emulation.pte(3);

        assertThat(emulation.machine.compact(emulation.cpu)).isZero();

        assertThat(emulation.pte(3)).isEqualTo(pte);
        hoard.release();
        emulation.platform.allocator().put(low);
        emulation.assertSound();
        assertThat(emulation.machine.compact(emulation.cpu)).isPositive();
        assertThat(emulation.load(3)).isEqualTo(3);
        emulation.assertNothingIsLeft();
    }

    // ---- a page that a scan has seen, and that is another one when its turn comes
    // ------------------------------------

    @FunctionalInterface
    private interface Replacement {
        void replace(Emulation emulation, Task by);
    }

    /**
     * Two processes have a page of one content. When the second one's is being shared, the first one's mapping is replaced;
     * then it is the first one's turn to be merged, by what the scan remembers of it.
     *
     * @return entries that were made to share
     */
    private static int mergeWithAReplacedPage(final Emulation emulation, final Replacement replacement) {
        emulation.mapWritten(0, 1);
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.MERGEABLE))
                .isEqualTo(Errno.OK);
        emulation.store(0, 7);
        final long seen = emulation.frame(0);
        emulation.frames.get(seen); // so that it is not taken for a free frame
        final Process second = emulation.machine.newProcess();
        final Cpu cpu = emulation.machine.cpu(1);
        cpu.run(second);
        second.mmap(cpu, BASE, PAGE, READ_WRITE);
        second.madvise(cpu, BASE, PAGE, Advice.MERGEABLE);
        cpu.storeLong(BASE, 7);
        final Task other = emulation.machine.newTask("other");
        second.space().register(cpu, new NotifierSubscriber() {
            private boolean done;

            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                if (!done && range.event() == NotifierEvent.CLEAR) {
                    done = true;
                    emulation.process.munmap(other, BASE, PAGE);
                    replacement.replace(emulation, other);
                }
                return true;
            }
        });

        final int merged = emulation
                .machine
                .newSamePageMerger()
                .scan(emulation.machine.newTask("ksmd"), List.of(emulation.space, second.space()));

        emulation.platform.allocator().put(seen);
        cpu.run(null);
        second.exit(cpu);
        return merged;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMergeNothingWithoutATable(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile);
        final Hoard[] hoard = new Hoard[1];

        final int merged = mergeWithAReplacedPage(emulation, (machine, by) -> {
            machine.process.mmap(by, BASE, PAGE, READ_WRITE);
            machine.process.madvise(by, BASE, PAGE, Advice.MERGEABLE);
            hoard[0] = Hoard.ofTables(machine.platform, 0);
        });

        assertThat(merged).as("the second one's alone").isEqualTo(1);
        hoard[0].release();
        emulation.assertSound();
        assertThat(emulation.load(0)).isZero();
        emulation.assertNothingIsLeft();
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldMergeNoHugePage(final SemanticProfile profile) {
        final Emulation emulation = new Emulation(profile, 1 << 11, 96);
        final Cpu cpu = emulation.machine.cpu(2);
        cpu.run(emulation.process);

        final int merged = mergeWithAReplacedPage(emulation, (machine, by) -> {
            machine.process.mmap(by, BASE, HUGE * PAGE, READ_WRITE);
            machine.process.madvise(by, BASE, HUGE * PAGE, Advice.MERGEABLE);
            machine.process.madvise(by, BASE, HUGE * PAGE, Advice.HUGEPAGE);
            assertThat(cpu.storeLong(addr(5), 55)).isEqualTo(Signal.NONE);
        });

        assertThat(merged).as("the second one's alone").isEqualTo(1);
        cpu.run(null);
        emulation.assertSound();
        assertThat(emulation.load(5)).isEqualTo(55);
        emulation.assertNothingIsLeft();
    }
}
