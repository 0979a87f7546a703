package mmutex.inject;

import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * An operation that may run out of something.
 *
 * @param name as it shows in test reports
 * @param prepare brings a scene into the state it begins in
 * @param perform does it; returns OK, or an errno or signal
 * @param failures what running out of frames or tables, or finding a page locked, may look like
 * @param frames how many it needs: with fewer it fails
 * @param tables how many it needs, likewise
 * @param isUndone whether a failure leaves nothing behind, not even pages that were touched on the way
 */
record Operation(
        String name,
        Consumer<Scene> prepare,
        Function<Scene, Enum<?>> perform,
        Set<Enum<?>> failures,
        int frames,
        int tables,
        boolean isUndone) {
    @Override
    public String toString() {
        return name;
    }
}
