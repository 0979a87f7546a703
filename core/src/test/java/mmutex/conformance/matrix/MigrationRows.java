package mmutex.conformance.matrix;

import java.util.List;
import java.util.function.Consumer;
import mmutex.layout.PteKind;

/**
 * Migration, looked at between its steps, and swap-out. The mover's references on source and destination are those of a
 * thread in flight.
 */
final class MigrationRows {
    static final List<Row> ALL = List.of(
            // ---- collect
            new Row(
                    Line.MIGRATE_COLLECT,
                    "writable, dirty",
                    Bench::mapWritten,
                    Bench::collect,
                    (b, s) -> s.counts(-1, -1, 0)
                            .frameDirty()
                            .anonExclusive(false)
                            .entry(e -> e.migrating(PteKind.MIGRATION_WRITE, b.keepsHints(), b.keepsHints()))),
            new Row(
                    Line.MIGRATE_COLLECT,
                    "writable, clean, old, not soft-dirty",
                    Bench::mapCleanNotSoftDirty,
                    Bench::collect,
                    (b, s) -> s.counts(-1, -1, 0)
                            .anonExclusive(false)
                            .entry(e -> e.migrating(PteKind.MIGRATION_WRITE, false, false))),
            new Row(
                    Line.MIGRATE_COLLECT,
                    "read-only, ours alone",
                    Bench::mapReadOnly,
                    Bench::collect,
                    (b, s) -> s.counts(-1, -1, 0)
                            .frameDirty()
                            .anonExclusive(false)
                            .entry(e -> e.migrating(b.migrationReadKind(true), b.keepsHints(), b.keepsHints()))),
            new Row(
                    Line.MIGRATE_COLLECT,
                    "uffd-wp",
                    Bench::mapGuarded,
                    Bench::collect,
                    (b, s) -> s.counts(-1, -1, 0)
                            .frameDirty()
                            .anonExclusive(false)
                            .entry(e -> e.migrating(b.migrationReadKind(true), b.keepsHints(), b.keepsHints()))),
            new Row(Line.MIGRATE_COLLECT, "shared with a child", Bench::mapShared, Bench::collect, (b, s) -> {
                s.counts(-2, -2, 0)
                        .frameDirty()
                        .entry(e -> e.migrating(PteKind.MIGRATION_READ, b.keepsHints(), b.keepsHints()));
                s.child(s.entry.migrating(PteKind.MIGRATION_READ, b.keepsHints(), false), 1);
            }),
            new Row(
                    Line.MIGRATE_COLLECT,
                    "exclusive: passed over (Q13)",
                    Bench::mapExclusive,
                    Bench::collectNothing,
                    (b, s) -> {}),
            new Row(
                    Line.MIGRATE_COLLECT,
                    "exclusive, by a mover that goes by frames",
                    Bench::mapExclusiveAboveRoom,
                    Bench::compactUntilCollected,
                    (b, s) -> {
                        if (b.profile.exclusiveIsReclaimable()) {
                            s.counts(-1, -1, 0).anonExclusive(false);
                            s.entry(e -> e.migrating(PteKind.MIGRATION_READ_EXCLUSIVE, false, false));
                        } // else mapped nowhere, so not found (3.18)
                    }),
            // ---- finalize
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "of a writable, dirty page",
                    Bench::mapCollected,
                    Bench::finish,
                    (b, s) -> s.freed()
                            .freshFrame(b.hasAnonExclusive())
                            .newDirty(true)
                            .entry(e -> e.present(true, b.keepsHints(), b.keepsHints()))),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "of a writable, clean, old page, not soft-dirty",
                    Bench::mapCollectedClean,
                    Bench::finish,
                    (b, s) -> s.freed().freshFrame(b.hasAnonExclusive()).entry(e -> e.present(true, false, false))),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "cleaned meanwhile: the hint alone makes no entry dirty",
                    Bench::mapCollectedAndCleaned,
                    Bench::finish,
                    (b, s) -> s.freed()
                            .freshFrame(b.hasAnonExclusive())
                            .entry(e -> e.present(true, false, b.keepsHints()))),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "of a read-only page, ours alone, uffd-wp",
                    Bench::mapCollectedGuarded,
                    Bench::finish,
                    (b, s) -> s.freed()
                            .freshFrame(b.hasAnonExclusive())
                            .newDirty(true)
                            .entry(e -> e.present(false, b.keepsHints(), b.keepsHints()))),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "of a page shared with a child",
                    Bench::mapCollectedShared,
                    Bench::finish,
                    (b, s) -> {
                        s.freed()
                                .freshFrame(false)
                                .newDirty(true)
                                .entry(e -> e.present(false, b.keepsHints(), b.keepsHints()));
                        s.newRef = 2;
                        s.newMap = 2;
                        s.child(s.childEntry.present(false, b.keepsHints(), false), 1);
                    }),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "to a device: write kept",
                    Bench::mapCollectedForDevice,
                    Bench::finish,
                    (b, s) -> s.freed()
                            .freshFrame(b.hasAnonExclusive())
                            .newDirty(true)
                            .entry(e -> e.special(PteKind.DEVICE_PRIVATE_WRITE))),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "back from a device: writable, old and clean",
                    Bench::mapCollectedFromDevice,
                    Bench::finish,
                    (b, s) -> s.freed()
                            .freshFrame(b.hasAnonExclusive())
                            .newDirty(true)
                            .entry(e -> e.present(true, false, false))),
            new Row(
                    Line.MIGRATE_FINALIZE,
                    "without a destination: the page stays",
                    Bench::mapCollectedForNothing,
                    Bench::finish,
                    (b, s) -> s.counts(1, 1, 0)
                            .anonExclusive(b.hasAnonExclusive())
                            .entry(e -> e.present(true, b.keepsHints(), b.keepsHints()))),
            // ---- swap-out
            swapOut("soft-dirty", Bench::mapExclusive),
            swapOut("not soft-dirty", Bench::mapExclusiveNotSoftDirty),
            swapOut("protected by a handler", Bench::mapExclusiveGuarded));

    private MigrationRows() {}

    private static Row swapOut(final String before, final Consumer<Bench> prepare) {
        return new Row(Line.SWAP_OUT_OF_EXCLUSIVE, before, prepare, Bench::swapOut, (b, s) -> {
            if (b.profile.exclusiveIsReclaimable()) {
                s.counts(-1, -1, -1).swapEnts(1).freed().entry(e -> e.swapped(b.hasAnonExclusive()));
            } // else refused: nothing changes
        });
    }
}
