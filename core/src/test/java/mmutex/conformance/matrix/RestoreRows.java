package mmutex.conformance.matrix;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** Restore: by a device's read, so that no CPU sets bits in the entry afterwards; and once by a CPU's write. */
final class RestoreRows {
    static final List<Row> ALL = List.of(
            upTo614("soft-dirty", Bench::mapExclusive, e -> e.present(true, true, false)),
            upTo614(
                    "not soft-dirty: what makes it dirty makes it that",
                    Bench::mapExclusiveNotSoftDirty,
                    e -> e.present(true, true, false).softDirty(true)),
            upTo614("frame clean", Bench::mapExclusiveClean, e -> e.present(true, true, false)),
            upTo614("mapping read-only", Bench::mapExclusiveProtected, e -> e.present(false, false, false)),
            upTo614("uffd-wp", Bench::mapExclusiveUffdWp, e -> e.present(false, false, false)),
            upTo614("protected by a handler", Bench::mapExclusiveGuarded, e -> e.present(false, false, false)),
            upTo614("readable", Bench::mapExclusiveReadable, e -> e.present(false, false, false)),
            k615("soft-dirty", Bench::mapExclusive, e -> e.present(true, true, false)),
            k615(
                    "not soft-dirty, which is tracked",
                    Bench::mapExclusiveNotSoftDirty,
                    e -> e.present(false, false, false)),
            k615("frame clean", Bench::mapExclusiveClean, e -> e.present(true, false, false)),
            k615("mapping read-only", Bench::mapExclusiveProtected, e -> e.present(false, false, false)),
            k615("protected by a handler", Bench::mapExclusiveGuarded, e -> e.present(false, false, false)),
            k615(
                    "mapping read-only and writable again",
                    Bench::mapExclusiveReadable,
                    e -> e.present(true, true, false)),
            new Row(
                    Line.RESTORE_UP_TO_6_14,
                    "by a CPU's write",
                    Bench::mapExclusive,
                    Bench::store,
                    (b, s) -> s.counts(0, 1, 0).entry(e -> e.present(true, true, true))),
            new Row(
                    Line.RESTORE_K615,
                    "by a CPU's write",
                    Bench::mapExclusive,
                    Bench::store,
                    (b, s) -> s.entry(e -> e.present(true, true, true))));

    private RestoreRows() {}

    private static Row upTo614(
            final String before, final Consumer<Bench> prepare, final UnaryOperator<Entry> entryChange) {
        return new Row(
                Line.RESTORE_UP_TO_6_14,
                before,
                prepare,
                Bench::deviceRead,
                (b, s) -> s.counts(0, 1, 0).entry(entryChange));
    }

    private static Row k615(
            final String before, final Consumer<Bench> prepare, final UnaryOperator<Entry> entryChange) {
        return new Row(
                Line.RESTORE_K615,
                before,
                prepare,
                Bench::deviceRead,
                (b, s) -> s.counts(0, 0, 0).entry(entryChange));
    }
}
