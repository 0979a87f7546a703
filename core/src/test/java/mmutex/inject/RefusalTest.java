package mmutex.inject;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.stream.Stream;
import mmutex.change.Reaper;
import mmutex.device.DeviceAccess;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Emulation;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.Task;
import mmutex.sync.DriverLock;
import mmutex.sync.HangGuard;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** I34: page locks that others hold, and starts that may not wait. Nothing is half done, and all can be done afterwards. */
@HangGuard
class RefusalTest {
    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    // ---- locks held by others --------------------------------------------------------------------------------------

    /** Somebody has locked the page: make skips it up to 6.14 (and would wait from 6.15 on: not tried here). */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldSkipALockedPageInMake(final SemanticProfile profile) {
        if (profile.makeBlocksOnPageLock()) {
            return; // waits: MirrorHandleTest and SvmDriverTest have the threads for that
        }
        for (int locked = 0; locked < Scene.PAGES; locked++) {
            final Scene scene = new Scene(profile, 96);
            scene.mapWritten();
            scene.openMirror();
            final long pfn = scene.emulation.frame(locked);
            final Task holder = scene.emulation.machine.newTask("holder");
            scene.emulation.platform.pageLock().lock(holder, pfn);

            assertThat(scene.mirror(Scene.PAGES)).isEqualTo(Errno.EBUSY);

            for (int page = 0; page < Scene.PAGES; page++) {
                assertThat(scene.emulation.kind(page).isDeviceExclusive()).isEqualTo(page != locked);
            }
            scene.emulation.assertCounts(locked, 1, 1);
            scene.emulation.platform.pageLock().unlock(holder, pfn);
            scene.assertSound();
            assertThat(scene.mirror(Scene.PAGES)).isEqualTo(Errno.OK);
            scene.assertSound();
            scene.assertNothingIsLeft();
        }
    }

    /** R11: each page in turn is in a driver's hands; those before it are restored and stay so (CX-11). */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldUndoAForkThatMeetsALockedPage(final SemanticProfile profile) {
        for (int locked = 0; locked < Scene.PAGES; locked++) {
            final Scene scene = new Scene(profile, 96);
            scene.mapExclusive();
            final long pfn = scene.emulation.frame(locked);
            final Task holder = scene.emulation.machine.newTask("holder");
            scene.emulation.platform.pageLock().lock(holder, pfn);
            final List<Long> before = scene.inUse();

            final Errno result = scene.fork();

            if (profile.forkExclusive() == ForkExclusive.COPY_DEMOTED) {
                assertThat(result).isEqualTo(Errno.OK);
            } else {
                assertThat(result).isEqualTo(Errno.ENOMEM);
                assertThat(scene.inUse()).isEqualTo(before);
                for (int page = 0; page < Scene.PAGES; page++) {
                    assertThat(scene.emulation.kind(page) == PteKind.PRESENT).isEqualTo(page < locked);
                }
            }
            scene.emulation.platform.pageLock().unlock(holder, pfn);
            scene.assertSound();
            assertThat(scene.fork()).isEqualTo(Errno.OK);
            assertThat(scene.loadAll()).isEqualTo(Signal.NONE);
            scene.assertSound();
            scene.assertNothingIsLeft();
        }
    }

    /** A write fault that can't have the page lock at once copies instead of reusing; nothing is lost. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyALockedPageInsteadOfReusingIt(final SemanticProfile profile) {
        final Scene scene = new Scene(profile, 96);
        scene.mapShared();
        scene.emulation.store(0, 7); // a copy; the child alone has the old page now
        scene.assertSound();
        final Scene alone = new Scene(profile, 96);
        alone.mapWritten();
        alone.fork();
        alone.assertSound();
        final long pfn = alone.emulation.frame(0);
        final Task holder = alone.emulation.machine.newTask("holder");
        alone.emulation.platform.pageLock().lock(holder, pfn);

        alone.emulation.store(0, 9);

        assertThat(alone.emulation.frame(0)).isNotEqualTo(pfn);
        alone.emulation.platform.pageLock().unlock(holder, pfn);
        assertThat(alone.emulation.load(0)).isEqualTo(9);
        alone.assertSound();
        alone.assertNothingIsLeft();
        scene.assertNothingIsLeft();
    }

    // ---- pages that somebody else has -------------------------------------------------------------------------------

    /** In what way. */
    private enum Obstacle {
        LOCKED,
        REFERENCED
    }

    /**
     * Work on many pages that leaves out those which it can't have at once.
     *
     * @param perform does it, or does what is left of it
     * @param isDone whether it has been done to a page
     */
    private record Sweep(
            String name, Consumer<Scene> prepare, Consumer<Scene> perform, BiPredicate<Scene, Integer> isDone) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final List<Sweep> SWEEPS = List.of(
            new Sweep(
                    "migration to a device",
                    Scene::mapWrittenForMirror,
                    Scene::migrateAgain,
                    (s, page) -> s.emulation.kind(page).isDevicePrivate()),
            new Sweep(
                    "migration to ordinary memory",
                    Scene::mapMigrated,
                    Scene::migrateBack,
                    (s, page) -> s.emulation.kind(page) == PteKind.PRESENT),
            new Sweep(
                    "eviction from a device",
                    Scene::mapMigrated,
                    Scene::evict,
                    (s, page) -> s.emulation.kind(page) == PteKind.PRESENT),
            new Sweep(
                    "swap-out",
                    Scene::mapAndSwapOn,
                    Scene::swapOut,
                    (s, page) -> s.emulation.kind(page) == PteKind.SWAP),
            new Sweep("compaction", Scene::mapAboveRoom, Scene::compact, Scene::isCompacted),
            new Sweep(
                    "same-page merging",
                    Scene::mapMergeable,
                    Scene::merge,
                    (s, page) -> s.emulation.frames.has(s.emulation.frame(page), FrameTable.KSM)));

    private static Stream<Arguments> sweeps() {
        return SWEEPS.stream()
                .flatMap(sweep -> Stream.of(Obstacle.values())
                        .flatMap(obstacle ->
                                SemanticProfile.ALL.stream().map(profile -> Arguments.of(sweep, obstacle, profile))));
    }

    /** Each page in turn is somebody's: it stays where it was, and counts as it did; the others go, and later it does too. */
    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("sweeps")
    void shouldLeaveOutAPageThatSomebodyHas(final Sweep sweep, final Obstacle obstacle, final SemanticProfile profile) {
        for (int taken = 0; taken < Scene.PAGES; taken++) {
            final Scene scene = new Scene(profile, 96);
            sweep.prepare().accept(scene);
            final Emulation emulation = scene.emulation;
            final long pfn = emulation.frame(taken);
            final PteKind kind = emulation.kind(taken);
            final Task holder = emulation.machine.newTask("holder");
            if (obstacle == Obstacle.LOCKED) {
                emulation.platform.pageLock().lock(holder, pfn);
            } else {
                emulation.frames.get(pfn);
            }
            final long references = emulation.frames.refCount(pfn);

            sweep.perform().accept(scene);

            for (int page = 0; page < Scene.PAGES; page++) {
                assertThat(sweep.isDone().test(scene, page))
                        .as("page %d, page %d is taken", page, taken)
                        .isEqualTo(page != taken);
            }
            assertThat(emulation.kind(taken)).isEqualTo(kind);
            assertThat(emulation.frame(taken)).isEqualTo(pfn);
            assertThat(emulation.isWritable(taken)).isEqualTo(kind == PteKind.PRESENT);
            emulation.assertCounts(taken, references, 1);
            if (obstacle == Obstacle.LOCKED) {
                emulation.platform.pageLock().unlock(holder, pfn);
            } else {
                emulation.platform.putPage(pfn);
            }
            scene.assertSound();

            sweep.perform().accept(scene);

            assertThat(sweep.isDone().test(scene, taken)).isTrue();
            scene.assertSound();
            scene.assertNothingIsLeft();
        }
    }

    // ---- starts that may not wait ----------------------------------------------------------------------------------

    /** R19: the reaper meets a subscriber that is busy, and passes the mapping over: no entry changes, no span stays open. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPassOverAMappingWhoseSubscriberIsBusy(final SemanticProfile profile) {
        final Scene scene = new Scene(profile, 96);
        scene.mapExclusive();
        final Task busy = scene.emulation.machine.newTask("busy");
        final Task reaper = scene.emulation.machine.newTask("reaper");
        final List<Long> before = scene.inUse();
        final DriverLock lock = scene.mirrorLock();
        lock.lock(busy);

        assertThat(Reaper.reap(reaper, scene.emulation.space)).isEqualTo(Errno.EAGAIN);

        assertThat(scene.inUse()).isEqualTo(before);
        for (int page = 0; page < Scene.PAGES; page++) {
            assertThat(scene.emulation.kind(page).isDeviceExclusive()).isTrue();
        }
        assertThat(scene.emulation.space.notifiers().snapshot(reaper).activeSpans())
                .isZero();
        lock.unlock(busy);
        assertThat(scene.loadAll()).isEqualTo(Signal.NONE); // what is there can still be used

        assertThat(Reaper.reap(reaper, scene.emulation.space)).isEqualTo(Errno.OK);
        assertThat(scene.emulation.process.rssAnonPages()).isZero();
        assertThat(scene.loadAll()).isEqualTo(Signal.BUS_ADRERR); // and what is gone does not come back as zeroes
        assertThat(scene.storeAll()).isEqualTo(Signal.BUS_ADRERR);
        scene.assertSound();
        scene.assertNothingIsLeft();
    }

    /** A list subscriber that refuses every start that may not wait, as nouveau's does (CN-16). */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldPassOverAMappingThatADeviceComputesOn(final SemanticProfile profile) {
        final Scene scene = new Scene(profile, 96);
        scene.mapWritten();
        scene.addDevice();
        scene.openMirror();
        assertThat(scene.resolve(DeviceAccess.ATOMIC)).isEqualTo(Errno.OK);
        final Task reaper = scene.emulation.machine.newTask("reaper");

        assertThat(Reaper.reap(reaper, scene.emulation.space)).isEqualTo(Errno.EAGAIN);

        assertThat(scene.emulation.kind(0).isDeviceExclusive()).isTrue();
        assertThat(scene.emulation.space.notifiers().snapshot(reaper).activeSpans())
                .isZero();
        scene.assertSound();
        scene.assertNothingIsLeft();
    }
}
