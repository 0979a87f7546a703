package mmutex.conformance.matrix;

import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import mmutex.mm.SemanticProfile;

/**
 * One case of a line of the matrix.
 *
 * @param line the line
 * @param before what was there before, or what is special
 * @param exists whether a kernel of a profile that has the line can come to it
 * @param otherwise why not
 * @param prepare brings about what was there before
 * @param operate the operation
 * @param changes turns the state before into the one expected after; what it does not mention stays
 */
record Row(
        Line line,
        String before,
        Predicate<SemanticProfile> exists,
        String otherwise,
        Consumer<Bench> prepare,
        Consumer<Bench> operate,
        BiConsumer<Bench, State> changes) {
    Row(
            final Line line,
            final String before,
            final Consumer<Bench> prepare,
            final Consumer<Bench> operate,
            final BiConsumer<Bench, State> changes) {
        this(line, before, profile -> true, "", prepare, operate, changes);
    }

    boolean existsIn(final SemanticProfile profile) {
        return line.existsIn(profile) && exists.test(profile);
    }

    String whyNotIn(final SemanticProfile profile) {
        return line.existsIn(profile) ? otherwise : line.otherwise();
    }

    @Override
    public String toString() {
        return line + ": " + before;
    }
}
