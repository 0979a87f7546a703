package mmutex.stress.conform;

import java.util.List;
import java.util.concurrent.TimeUnit;
import mmutex.mm.SemanticProfile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Programs that nobody recorded: any operation with any arguments, in any order. What they return is not known, but after
 * each step all invariants hold, whatever is refused is refused by name, and in the end nothing is left.
 */
class RandomProgramTest {
    private static final int PROGRAMS = 60;
    private static final int PROGRAMS_LONG = 5_000;

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldKeepAllInvariants(final SemanticProfile profile) {
        performAll(profile, 1, PROGRAMS);
    }

    @Tag("slow")
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepAllInvariantsForLonger(final SemanticProfile profile) {
        performAll(profile, 1 + PROGRAMS, PROGRAMS_LONG);
    }

    private static void performAll(final SemanticProfile profile, final long firstSeed, final int count) {
        System.out.println("random programs: profile=" + profile.name() + " seeds=" + firstSeed + " to "
                + (firstSeed + count - 1));
        for (int program = 0; program < count; program++) {
            new RandomProgram(profile, firstSeed + program).perform();
        }
    }
}
