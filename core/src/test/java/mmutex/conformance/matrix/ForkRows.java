package mmutex.conformance.matrix;

import java.util.List;

/** fork, with the child's side. */
final class ForkRows {
    static final List<Row> ALL = List.of(
            new Row(Line.FORK_PRESENT, "writable", Bench::mapWritten, Bench::fork, (b, s) -> {
                s.counts(1, 1, 0).anonExclusive(false).entry(e -> e.present(false, true, true));
                s.child(s.entry.present(false, true, false), 1);
            }),
            new Row(
                    Line.FORK_PRESENT,
                    "protected by a handler, whom the child does not have",
                    Bench::mapGuarded,
                    Bench::fork,
                    (b, s) -> {
                        s.counts(1, 1, 0).anonExclusive(false);
                        s.child(s.entry.present(false, true, false).uffdWp(false), 1);
                    }),
            new Row(Line.FORK_EXCLUSIVE_V3, "soft-dirty", Bench::mapExclusive, Bench::fork, (b, s) -> {
                s.counts(1, 0, 0).entry(e -> e.special(b.exclusiveKind(false)));
                s.child(s.entry, 1);
            }),
            new Row(Line.FORK_EXCLUSIVE_V3, "not soft-dirty", Bench::mapExclusiveNotSoftDirty, Bench::fork, (b, s) -> {
                s.counts(1, 0, 0).entry(e -> e.special(b.exclusiveKind(false)));
                s.child(s.entry, 1);
            }),
            new Row(
                    Line.FORK_EXCLUSIVE_V3,
                    "uffd-wp: the child has no handler",
                    Bench::mapExclusiveUffdWp,
                    Bench::fork,
                    (b, s) -> {
                        s.counts(1, 0, 0).entry(e -> e.special(b.exclusiveKind(false)));
                        s.child(s.entry.uffdWp(false), 1);
                    }),
            new Row(Line.FORK_EXCLUSIVE_V9, "soft-dirty", Bench::mapExclusive, Bench::fork, (b, s) -> {
                s.counts(1, 2 - b.exclusiveMaps(), 0).anonExclusive(false).entry(e -> e.present(false, true, false));
                s.child(s.entry, 1);
            }),
            new Row(
                    Line.FORK_EXCLUSIVE_V9,
                    "protected by a handler, whom the child does not have",
                    Bench::mapExclusiveGuarded,
                    Bench::fork,
                    (b, s) -> {
                        s.counts(1, 2 - b.exclusiveMaps(), 0)
                                .anonExclusive(false)
                                .entry(e -> e.present(false, false, false));
                        s.child(s.entry.uffdWp(false), 1);
                    }),
            new Row(
                    Line.FORK_EXCLUSIVE_V9,
                    "readable: restored clean",
                    Rows.TWO_TYPES,
                    Rows.ONE_TYPE,
                    Bench::mapExclusiveReadable,
                    Bench::fork,
                    (b, s) -> {
                        s.counts(1, 2, 0).anonExclusive(false).entry(e -> e.present(false, false, false));
                        s.child(s.entry, 1);
                    }));

    private ForkRows() {}
}
