package mmutex.conformance.matrix;

import java.util.List;
import java.util.function.Consumer;
import mmutex.machine.Emulation;

/** mprotect, mremap and zap. */
final class ChangeRows {
    static final List<Row> ALL = List.of(
            protect("soft-dirty", Bench::mapExclusive),
            protect("not soft-dirty", Bench::mapExclusiveNotSoftDirty),
            new Row(
                    Line.MPROTECT_ON_EXCLUSIVE,
                    "uffd-wp",
                    Rows.TWO_TYPES,
                    Rows.ONE_TYPE,
                    Bench::mapExclusiveUffdWp,
                    Bench::protectReadOnly,
                    (b, s) -> s.entry(e -> e.special(b.exclusiveKind(false)))),
            new Row(
                    Line.MPROTECT_ON_EXCLUSIVE,
                    "read-only: write access never makes it writable again",
                    Bench::mapExclusiveProtected,
                    b -> b.protect(Emulation.READ_WRITE),
                    (b, s) -> {}),
            new Row(
                    Line.MPROTECT_ON_EXCLUSIVE,
                    "by a userfaultfd's handler",
                    Bench::mapExclusiveHandled,
                    Bench::guard,
                    (b, s) -> s.entry(e -> e.special(b.exclusiveKind(!b.profile.mprotectDemotesExclusive()))
                            .uffdWp(true))),
            // ---- mremap, there and back: page 0 is where the matrix looks
            move("present", Bench::mapNotSoftDirty, true),
            move("present, guarded: the marks stay behind with the handler", Bench::mapGuarded, false),
            move("exclusive", Bench::mapExclusiveNotSoftDirty, true),
            new Row(
                    Line.MREMAP,
                    "exclusive, uffd-wp",
                    Rows.TWO_TYPES,
                    Rows.ONE_TYPE,
                    Bench::mapExclusiveUffdWp,
                    Bench::move,
                    (b, s) -> s.entry(e -> e.softDirty(true))),
            move("exclusive, guarded: the marks stay behind with the handler", Bench::mapExclusiveGuarded, false),
            // ---- zap; somebody keeps a reference, so that the frame can still be asked
            new Row(
                    Line.ZAP_PRESENT,
                    "MADV_DONTNEED",
                    Bench::mapWrittenAndHeld,
                    Bench::discard,
                    (b, s) -> s.counts(-1, -1, -1).none()),
            new Row(
                    Line.ZAP_PRESENT,
                    "munmap",
                    Bench::mapWrittenAndHeld,
                    Bench::unmap,
                    (b, s) -> s.counts(-1, -1, -1).none()),
            new Row(
                    Line.ZAP_EXCLUSIVE,
                    "MADV_DONTNEED",
                    Bench::mapExclusiveAndHeld,
                    Bench::discard,
                    (b, s) -> s.counts(-1, -b.exclusiveMaps(), -1).none()),
            new Row(
                    Line.ZAP_EXCLUSIVE,
                    "munmap",
                    Bench::mapExclusiveAndHeld,
                    Bench::unmap,
                    (b, s) -> s.counts(-1, -b.exclusiveMaps(), -1).none()),
            new Row(
                    Line.ZAP_EXCLUSIVE,
                    "the out-of-memory reaper",
                    Bench::mapExclusiveAndHeld,
                    Bench::reap,
                    (b, s) -> s.counts(-1, -b.exclusiveMaps(), -1).none()),
            new Row(
                    Line.ZAP_DEVICE_PRIVATE,
                    "MADV_DONTNEED",
                    Bench::mapPrivateAndHeld,
                    Bench::discard,
                    (b, s) -> s.counts(-1, -1, -1).none()),
            new Row(
                    Line.ZAP_DEVICE_PRIVATE,
                    "munmap",
                    Bench::mapPrivateAndHeld,
                    Bench::unmap,
                    (b, s) -> s.counts(-1, -1, -1).none()));

    private ChangeRows() {}

    private static Row protect(final String before, final Consumer<Bench> prepare) {
        return new Row(
                Line.MPROTECT_ON_EXCLUSIVE,
                before,
                prepare,
                Bench::protectReadOnly,
                (b, s) -> s.entry(e -> e.special(b.exclusiveKind(!b.profile.mprotectDemotesExclusive()))));
    }

    private static Row move(final String before, final Consumer<Bench> prepare, final boolean keepsUffdWp) {
        return new Row(
                Line.MREMAP,
                before,
                prepare,
                Bench::move,
                (b, s) -> s.entry(e -> e.softDirty(true).uffdWp(keepsUffdWp && e.uffdWp())));
    }
}
