package mmutex.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mmutex.fault.Signal;
import mmutex.machine.Emulation;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * I34: every operation with every shortage. Of what it allocates all is taken but for k, for k from 0 to what the operation
 * needs; each failure must be one that is documented, leave counts that balance, and not keep the operation from succeeding
 * afterwards. {@link AllocationPointsTest} sees to it that no place which allocates is left out.
 */
@HangGuard
class FaultInjectionTest {
    private static Stream<Arguments> shortages() {
        return Operations.ALL.stream()
                .flatMap(operation -> operation.needs().keySet().stream()
                        .flatMap(what ->
                                SemanticProfile.ALL.stream().map(profile -> Arguments.of(operation, what, profile))));
    }

    private static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    /** Fails with nothing and with one too few, whatever the profile; succeeds with just enough. */
    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("shortages")
    void shouldSurviveShortage(final Operation operation, final Shortage what, final SemanticProfile profile) {
        final int needed = operation.needs().get(what);
        IntStream.of(0, needed - 1, needed)
                .filter(left -> left >= 0)
                .distinct()
                .forEach(left -> sweep(operation, profile, what, left));
    }

    /** The same with everything between: a failure may come at any step. */
    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("shortages")
    @Tag("slow")
    void shouldSurviveEveryShortage(final Operation operation, final Shortage what, final SemanticProfile profile) {
        IntStream.rangeClosed(0, operation.needs().get(what)).forEach(left -> sweep(operation, profile, what, left));
    }

    private static void sweep(
            final Operation operation, final SemanticProfile profile, final Shortage what, final int left) {
        assumeTrue(operation.exists().test(profile), "this profile has no such operation, or it needs nothing");
        assertThat(succeedsWith(operation, profile, what, left))
                .as("%s with %d left", operation, left)
                .isEqualTo(left == operation.needs().get(what));
    }

    /** One attempt on a fresh machine; whatever comes of it, the machine is sound and the operation can be repeated. */
    private static boolean succeedsWith(
            final Operation operation, final SemanticProfile profile, final Shortage what, final int left) {
        final Scene scene = new Scene(profile, operation.frames());
        operation.prepare().accept(scene);
        final List<Long> before = scene.inUse();
        final Hoard hoard = what.take(scene, left);
        final Enum<?> result = operation.perform().apply(scene);
        hoard.release();
        final boolean success = isSuccess(result);
        if (!success) {
            assertThat(result).as("with %d left", left).isIn(operation.failures());
            if (operation.isUndone()) {
                assertThat(scene.inUse()).as("in use, with %d left", left).isEqualTo(before);
            }
            scene.assertSound();
            assertThat(isSuccess(operation.perform().apply(scene)))
                    .as("repeated with memory enough, after failing with %d left", left)
                    .isTrue();
        }
        scene.assertSound();
        scene.assertNothingIsLeft();
        return success;
    }

    private static boolean isSuccess(final Enum<?> result) {
        return result == Errno.OK || result == Signal.NONE;
    }

    /** The hoard itself takes all there is, and gives it back. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldHoardAndGiveBack(final SemanticProfile profile) {
        final Scene scene = new Scene(profile, 96);
        final Platform platform = scene.emulation.platform;
        final long before = platform.allocator().inUse();
        final Hoard hoard = Hoard.ofFrames(platform, 1);
        final long last = platform.allocator().allocate();
        assertThat(platform.frames().has(last, FrameTable.ALLOCATED)).isTrue();
        assertThat(platform.allocator().allocate()).isZero();
        platform.allocator().put(last);
        hoard.release();
        assertThat(platform.allocator().inUse()).isEqualTo(before);
        scene.emulation.map(0, 1, Emulation.READ_WRITE).store(0, 1);
        scene.assertNothingIsLeft();
    }
}
