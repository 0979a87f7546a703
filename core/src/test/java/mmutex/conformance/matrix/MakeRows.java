package mmutex.conformance.matrix;

import java.util.List;
import java.util.function.Consumer;

/** Make, and make that fails in part. */
final class MakeRows {
    static final List<Row> ALL = List.of(
            make(Line.MAKE_UP_TO_6_14, "dirty", Bench::mapWritten),
            make(Line.MAKE_UP_TO_6_14, "not soft-dirty", Bench::mapNotSoftDirty),
            make(Line.MAKE_UP_TO_6_14, "uffd-wp since get_user_pages", Bench::mapUffdWp),
            make(Line.MAKE_UP_TO_6_14, "clean: a reference to write is as good as a write", Bench::mapClean),
            make(Line.MAKE_K615, "dirty", Bench::mapWritten),
            make(Line.MAKE_K615, "not soft-dirty", Bench::mapNotSoftDirty),
            make(Line.MAKE_K615, "clean: a reference to write is as good as a write", Bench::mapClean),
            new Row(
                    Line.FAILED_MAKE,
                    "another page can't be had",
                    Bench::mapBatch,
                    Bench::failToMake,
                    (b, s) -> s.counts(0, b.exclusiveMaps() - 1, 0)
                            .frameDirty()
                            .entry(e -> e.special(b.exclusiveKind(true)))));

    private MakeRows() {}

    private static Row make(final Line line, final String before, final Consumer<Bench> prepare) {
        return new Row(
                line,
                before,
                prepare,
                Bench::exclusive,
                (b, s) -> s.counts(0, b.exclusiveMaps() - 1, 0)
                        .frameDirty()
                        .entry(e -> e.special(b.exclusiveKind(true))));
    }
}
