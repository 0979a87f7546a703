package mmutex.conformance.matrix;

import java.util.function.Predicate;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.ForkExclusive;

/** The lines of the bookkeeping matrix, semantics 3.25, in its order and words; each has rows in every profile that has it. */
enum Line {
    FIRST_WRITE_TOUCH("first write touch"),
    ZERO_PAGE_MAPPING("zero-page mapping"),
    WP_REUSE("wp reuse"),
    WP_COPY("wp copy"),
    MAKE_UP_TO_6_14("make V3..6.14", Rows.TWO_TYPES, Rows.ONE_TYPE),
    MAKE_K615("make K615", Rows.TWO_TYPES.negate(), Rows.OLD_MAKE),
    RESTORE_UP_TO_6_14("restore V3..6.14", Rows.TWO_TYPES, Rows.ONE_TYPE),
    RESTORE_K615("restore K615", Rows.TWO_TYPES.negate(), Rows.OLD_MAKE),
    /** Which the matrix leaves out, but 3.13 does not. */
    FORK_PRESENT("fork, present"),
    FORK_EXCLUSIVE_V3(
            "fork, exclusive, V3",
            profile -> profile.forkExclusive() == ForkExclusive.COPY_DEMOTED,
            "from v8 on fork restores exclusive entries"),
    FORK_EXCLUSIVE_V9(
            "fork, exclusive, V9+",
            profile -> profile.forkExclusive() == ForkExclusive.RESTORE_BY_TRYLOCK,
            "v3 copies exclusive entries"),
    MPROTECT_ON_EXCLUSIVE("mprotect on exclusive"),
    ZAP_PRESENT("zap PRESENT anon"),
    ZAP_EXCLUSIVE("zap exclusive"),
    ZAP_DEVICE_PRIVATE("zap device-private"),
    MREMAP("mremap"),
    MIGRATE_COLLECT("migrate collect (PRESENT -> MIGRATION)"),
    MIGRATE_FINALIZE("migrate finalize"),
    SWAP_OUT_OF_EXCLUSIVE("swap-out of exclusive, K615; up to 6.14 refused"),
    FAILED_MAKE("failed make (V3..6.14); later, of one page after the other");

    private final String words;
    private final Predicate<SemanticProfile> exists;
    private final String otherwise;

    Line(final String words) {
        this(words, profile -> true, "");
    }

    Line(final String words, final Predicate<SemanticProfile> exists, final String otherwise) {
        this.words = words;
        this.exists = exists;
        this.otherwise = otherwise;
    }

    /** Whether a kernel of the profile does it. */
    boolean existsIn(final SemanticProfile profile) {
        return exists.test(profile);
    }

    /** Why others don't. */
    String otherwise() {
        return otherwise;
    }

    @Override
    public String toString() {
        return words;
    }
}
