package mmutex.mm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import mmutex.layout.KernelGeneration;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.SemanticProfile.MakeCheck;
import mmutex.mm.SemanticProfile.MprotectUpgrade;
import mmutex.mm.SemanticProfile.Populate;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SemanticProfileTest {
    @Test
    void shouldBeKnownByName() {
        assertThat(SemanticProfile.ALL)
                .extracting(SemanticProfile::name)
                .containsExactly("V3", "V9", "K514", "K612", "K615");
        for (final SemanticProfile profile : SemanticProfile.ALL) {
            assertThat(SemanticProfile.byName(profile.name())).isSameAs(profile);
            assertThat(profile).hasToString(profile.name());
        }
        assertThat(new HashSet<>(SemanticProfile.ALL)).hasSize(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "k612", "K613", "V3 "})
    void shouldReportAnUnknownName(final String name) {
        assertThatThrownBy(() -> SemanticProfile.byName(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown profile '" + name + "', known: [V3, V9, K514, K612, K615]");
    }

    // spotless:off
    @ParameterizedTest
    @CsvSource({
        //     one page  owner  make event  restore    blocks  check        keeps map  takes ref  decides  demotes
        "V3,   false,    false, CLEAR,      CLEAR,     false,  NONE,        false,     false,     false,   true",
        "V9,   false,    true,  EXCLUSIVE,  CLEAR,     false,  FLAG,        false,     false,     false,   true",
        "K514, false,    true,  EXCLUSIVE,  EXCLUSIVE, false,  FLAG,        false,     true,      false,   true",
        "K612, false,    true,  EXCLUSIVE,  EXCLUSIVE, false,  FLAG,        false,     true,      false,   true",
        "K615, true,     true,  EXCLUSIVE,  CLEAR,     true,   SECOND_WALK, true,      true,      true,    false",
    })
    // spotless:on
    void shouldDifferInMakeAndRestore(
            final String name,
            final boolean makeOnePage,
            final boolean makePassesOwner,
            final NotifierEvent makeEvent,
            final NotifierEvent restoreEvent,
            final boolean makeBlocks,
            final MakeCheck check,
            final boolean keepsMapcount,
            final boolean takesReference,
            final boolean decidesWritable,
            final boolean demotes) {
        final SemanticProfile profile = SemanticProfile.byName(name);

        assertThat(profile.makeOnePage()).isEqualTo(makeOnePage);
        assertThat(profile.makePassesOwner()).isEqualTo(makePassesOwner);
        assertThat(profile.makeEvent()).isEqualTo(makeEvent);
        assertThat(profile.restoreEvent()).isEqualTo(restoreEvent);
        assertThat(profile.makeBlocksOnPageLock()).isEqualTo(makeBlocks);
        assertThat(profile.makeCheck()).isEqualTo(check);
        assertThat(profile.exclusiveKeepsMapcount()).isEqualTo(keepsMapcount);
        assertThat(profile.restoreTakesReference()).isEqualTo(takesReference);
        assertThat(profile.restoreDecidesWritable()).isEqualTo(decidesWritable);
        assertThat(profile.mprotectDemotesExclusive()).isEqualTo(demotes);
    }

    // spotless:off
    @ParameterizedTest
    @CsvSource({
        //     generation  fork                 upgrade   populate       major  anonExcl  vma lock  pages  errno
        "V3,   V6_12,      COPY_DEMOTED,        NEVER,    ABSENT,        true,  false,    false,    64,    false",
        "V9,   V6_12,      RESTORE_BY_TRYLOCK,  NEVER,    ABSENT,        true,  false,    false,    64,    false",
        "K514, V6_12,      RESTORE_BY_TRYLOCK,  IF_DIRTY, PASSES_HOLES,  true,  true,     false,    64,    false",
        "K612, V6_12,      RESTORE_BY_TRYLOCK,  ALWAYS,   STOPS_AT_HOLE, false, true,     true,     64,    false",
        "K615, V7_3,       RESTORE_BY_TRYLOCK,  ALWAYS,   STOPS_AT_HOLE, false, true,     true,     32,    true",
    })
    // spotless:on
    void shouldDifferInTheRest(
            final String name,
            final KernelGeneration generation,
            final ForkExclusive fork,
            final MprotectUpgrade upgrade,
            final Populate populate,
            final boolean retriedIsMajor,
            final boolean anonExclusive,
            final boolean vmaLock,
            final int devicePages,
            final boolean deviceErrno) {
        final SemanticProfile profile = SemanticProfile.byName(name);

        assertThat(profile.generation()).isEqualTo(generation);
        assertThat(profile.forkExclusive()).isEqualTo(fork);
        assertThat(profile.mprotectUpgrade()).isEqualTo(upgrade);
        assertThat(profile.populate()).isEqualTo(populate);
        assertThat(profile.retriedFaultIsMajor()).isEqualTo(retriedIsMajor);
        assertThat(profile.hasAnonExclusive()).isEqualTo(anonExclusive);
        assertThat(profile.hasVmaLock()).isEqualTo(vmaLock);
        assertThat(profile.deviceFaultPages()).isEqualTo(devicePages);
        assertThat(profile.deviceReportsErrno()).isEqualTo(deviceErrno);
    }

    @Test
    void shouldLetReclaimHandleExclusivePagesOnlySinceTheyCountAsMapped() {
        assertThat(SemanticProfile.ALL.stream().filter(SemanticProfile::exclusiveIsReclaimable))
                .containsExactly(SemanticProfile.K615);
        assertThat(SemanticProfile.ALL.stream().filter(SemanticProfile::migrationWalkAcceptsExclusive))
                .doesNotContain(SemanticProfile.K615)
                .hasSize(4);
        assertThat(SemanticProfile.ALL.stream().filter(SemanticProfile::makeAcceptsShared))
                .containsExactly(SemanticProfile.V3);
    }
}
