package mmutex.bench.torture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import mmutex.bench.run.StopSignal;
import mmutex.bench.torture.op.Operations;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything at once, a second per profile and delivery; under tag slow a minute. {@code -Dmmutex.torture.seed=N} repeats the
 * choices that a failure prints.
 */
@Timeout(value = 900, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TortureTest {
    static Stream<Arguments> everyProfileAndDelivery() {
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(Delivery.values()).map(delivery -> Arguments.of(profile, delivery)));
    }

    @ParameterizedTest
    @MethodSource("everyProfileAndDelivery")
    void shouldLoseNothing(final SemanticProfile profile, final Delivery delivery) throws InterruptedException {
        torture(profile, delivery, 1);
    }

    @ParameterizedTest
    @MethodSource("everyProfileAndDelivery")
    @Tag("slow")
    void shouldLoseNothingForLonger(final SemanticProfile profile, final Delivery delivery)
            throws InterruptedException {
        torture(profile, delivery, 60);
    }

    private static void torture(final SemanticProfile profile, final Delivery delivery, final double seconds)
            throws InterruptedException {
        final long seed = Long.getLong("mmutex.torture.seed", System.nanoTime() & 0xffff_ffffL);
        final TortureOptions options = new TortureOptions(profile, delivery, 4, 2, seconds, seed, false);
        System.out.println(TortureCommand.commandLine(options));

        final TortureResult result = new Torture(options, new StopSignal()).run(fraction -> {});

        assertThat(result.findings()).isEmpty();
        assertThat(result.invariants().violations()).isEmpty();
        assertThat(result.isGood()).isTrue();
        assertThat(result.operations()).isPositive();
        assertThat(result.invariants().invariants()).isGreaterThan(10);
        assertThat(result.performed()).hasSize(Operations.of(profile).size());
    }

    @Test
    void shouldRegisterEachOperationOnceWithAWeight() {
        for (final SemanticProfile profile : SemanticProfile.ALL) {
            assertThat(Operations.of(profile).stream().map(TortureOperation::name))
                    .doesNotHaveDuplicates()
                    .hasSizeGreaterThan(10);
            assertThat(Operations.of(profile)).allMatch(operation -> operation.weight() > 0);
        }
    }
}
