package mmutex.cli;

import java.util.Collection;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/** Values that are one of a few words; any other is a {@link UsageProblem} that lists the words. */
public final class Choice {
    private Choice() {}

    /** An enum constant as users type it and as reports print it: small letters, dashes. */
    public static String word(final Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the one of {@code all} that was given by its word, in letters of any size; {@code what} says in the message what
     * is chosen.
     */
    public static <T> T find(
            final String what, final String given, final Collection<T> all, final Function<? super T, String> word) {
        return all.stream()
                .filter(known -> word.apply(known).equalsIgnoreCase(given))
                .findFirst()
                .orElseThrow(() -> unknown(what, given, all.stream().map(word)));
    }

    /** What to throw for a word that is none of the known ones. */
    public static UsageProblem unknown(final String what, final String given, final Stream<String> known) {
        return new UsageProblem(
                "unknown " + what + " '" + given + "', expected one of " + String.join(", ", known.toList()));
    }
}
