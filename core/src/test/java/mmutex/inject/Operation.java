package mmutex.inject;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import mmutex.mm.SemanticProfile;

/**
 * An operation that may run out of something.
 *
 * @param name as it shows in test reports
 * @param prepare brings a scene into the state it begins in
 * @param perform does it; returns OK, or an errno or signal
 * @param failures what running out may look like
 * @param needs how many it needs of what: with fewer it fails
 * @param isUndone whether a failure leaves nothing behind, not even pages that were touched on the way
 * @param exists whether a kernel of a profile can do it, or needs anything for it
 * @param frames how many the machine has
 */
record Operation(
        String name,
        Consumer<Scene> prepare,
        Function<Scene, Enum<?>> perform,
        Set<Enum<?>> failures,
        Map<Shortage, Integer> needs,
        boolean isUndone,
        Predicate<SemanticProfile> exists,
        int frames) {
    /** Enough for a few pages. */
    private static final int FEW_FRAMES = 96;
    /** Enough for a few huge ones. */
    private static final int MANY_FRAMES = 1 << 11;

    Operation(
            final String name,
            final Consumer<Scene> prepare,
            final Function<Scene, Enum<?>> perform,
            final Set<Enum<?>> failures) {
        this(name, prepare, perform, failures, Map.of(), false, profile -> true, FEW_FRAMES);
    }

    /** Needs so many of something, no more and no less; of what is never named it needs none that could be taken away. */
    Operation needs(final Shortage what, final int count) {
        final Map<Shortage, Integer> more = new EnumMap<>(Shortage.class);
        more.putAll(needs);
        more.put(what, count);
        return new Operation(name, prepare, perform, failures, more, isUndone, exists, frames);
    }

    /** A failure leaves nothing behind. */
    Operation undone() {
        return new Operation(name, prepare, perform, failures, needs, true, exists, frames);
    }

    /** Only some profiles have it. */
    Operation where(final Predicate<SemanticProfile> profiles) {
        return new Operation(name, prepare, perform, failures, needs, isUndone, profiles, frames);
    }

    /** On a machine with room for huge pages. */
    Operation huge() {
        return new Operation(name, prepare, perform, failures, needs, isUndone, exists, MANY_FRAMES);
    }

    @Override
    public String toString() {
        return name;
    }
}
