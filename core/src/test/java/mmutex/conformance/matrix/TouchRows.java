package mmutex.conformance.matrix;

import java.util.List;

/** First touch and writes to read-only pages. Nobody leaves markers here, so that none have a uffd-wp bit to pass on. */
final class TouchRows {
    static final List<Row> ALL = List.of(
            new Row(
                    Line.FIRST_WRITE_TOUCH,
                    "nothing",
                    Bench::map,
                    Bench::store,
                    (b, s) -> s.freshFrame(b.hasAnonExclusive())
                            .counts(0, 0, 1)
                            .entry(e -> e.present(true, true, true).softDirty(true))),
            new Row(
                    Line.ZERO_PAGE_MAPPING,
                    "nothing",
                    Bench::map,
                    Bench::load,
                    (b, s) -> s.entry(e -> e.present(false, false, true))),
            new Row(
                    Line.WP_REUSE,
                    "shared once, the last one left",
                    Bench::mapLeftAlone,
                    Bench::store,
                    (b, s) -> s.anonExclusive(b.hasAnonExclusive())
                            .entry(e -> e.present(true, true, true).softDirty(true))),
            new Row(
                    Line.WP_REUSE,
                    "not soft-dirty",
                    Bench::mapLeftAloneNotSoftDirty,
                    Bench::store,
                    (b, s) -> s.anonExclusive(b.hasAnonExclusive())
                            .entry(e -> e.present(true, true, true).softDirty(true))),
            new Row(
                    Line.WP_REUSE,
                    "restored read-only",
                    Rows.TWO_TYPES,
                    Rows.ONE_TYPE,
                    Bench::mapRestoredReadOnly,
                    Bench::store,
                    (b, s) -> s.entry(e -> e.present(true, true, true).softDirty(true))),
            new Row(
                    Line.WP_COPY,
                    "shared with a child",
                    Bench::mapShared,
                    Bench::store,
                    (b, s) -> s.counts(-1, -1, 0)
                            .freshFrame(b.hasAnonExclusive())
                            .entry(e -> e.present(true, true, true).softDirty(true))),
            new Row(
                    Line.WP_COPY,
                    "the zero page",
                    Bench::mapZero,
                    Bench::store,
                    (b, s) -> s.counts(0, 0, 1)
                            .freshFrame(b.hasAnonExclusive())
                            .entry(e -> e.present(true, true, true).softDirty(true))),
            new Row(
                    Line.WP_COPY,
                    "a file's page, mapped private",
                    Bench::mapFilePage,
                    Bench::store,
                    (b, s) -> s.counts(-1, -1, 1)
                            .freshFrame(b.hasAnonExclusive())
                            .entry(e -> e.present(true, true, true).softDirty(true))));

    private TouchRows() {}
}
