package mmutex.bench.torture.world;

import mmutex.mm.SemanticProfile;

/** One thing that a hand can do. Stateless: what it needs to remember lives with the hand. */
public interface TortureOperation {
    /** As it shows in reports. */
    default String name() {
        return getClass().getSimpleName();
    }

    /** How often, relative to the others. */
    int weight();

    /** Whether a kernel of this profile promises that all oracles survive it. */
    default boolean isPossible(final SemanticProfile profile) {
        return true;
    }

    /**
     * Does it. Choices come from the hand's dice alone.
     *
     * @throws Finding if an oracle is contradicted
     */
    void perform(Hand hand);
}
