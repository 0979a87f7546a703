package mmutex.conformance.matrix;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import mmutex.mm.SemanticProfile;

/** All rows, and why some don't exist in some profiles. */
final class Rows {
    /** Up to 6.14 there are writable and readable exclusive entries, which are no mappings. */
    static final Predicate<SemanticProfile> TWO_TYPES = SemanticProfile::mprotectDemotesExclusive;

    static final String ONE_TYPE =
            "the one exclusive type of 6.15 is made from writable entries only, is never demoted,"
                    + " counts as a mapping, and a writable entry can't be uffd-wp";
    static final String OLD_MAKE = "up to 6.14 there are two exclusive types, and neither counts as a mapping";
    static final String NO_ANON_EXCLUSIVE = "before 5.19 no page knows that it is one process's alone";

    private Rows() {}

    static List<Row> all() {
        return Stream.of(TouchRows.ALL, MakeRows.ALL, RestoreRows.ALL, ForkRows.ALL, ChangeRows.ALL, MigrationRows.ALL)
                .flatMap(List::stream)
                .toList();
    }
}
