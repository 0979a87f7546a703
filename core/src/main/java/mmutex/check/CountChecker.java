package mmutex.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/** The counting rules, by a full scan at quiescence: I4 (refcount), I5 (mapcount), I6 (anonPages, swapEntries). */
final class CountChecker {
    private CountChecker() {}

    static void atQuiescence(
            final Task task, final Platform platform, final List<AddressSpace> spaces, final CheckReport report) {
        report.looking("I4", "I5", "I6");
        // First frame of a folio -> references, huge entries; any frame -> mappings by entries of its own.
        final Map<Long, long[]> counts = new HashMap<>();
        for (final AddressSpace space : spaces) {
            count(task, platform, space, counts, report);
        }
        final FrameTable frames = platform.frames();
        for (long pfn = FrameAllocator.ZERO_FRAME + 1;
                pfn < platform.allocator().limit();
                pfn++) {
            final long[] expected = counts.getOrDefault(pfn, new long[3]);
            if (frames.has(pfn, FrameTable.COMPOUND_HEAD)) {
                compound(platform, pfn, counts, report);
            } else if (frames.has(pfn, FrameTable.COMPOUND_TAIL)) {
                continue; // counted with the head
            } else if (frames.refCount(pfn) != expected[0]) {
                report.violated(
                        "I4", "frame " + pfn + ": refcount " + frames.refCount(pfn) + ", entries " + expected[0]);
            }
            if (!frames.isLarge(pfn) && frames.mapCount(pfn) != expected[1]) {
                report.violated(
                        "I5", "frame " + pfn + ": mapcount " + frames.mapCount(pfn) + ", mappings " + expected[1]);
            }
        }
    }

    /** All pages of a compound page: references and huge entries are the head's, the rest each page's own. */
    private static void compound(
            final Platform platform, final long folio, final Map<Long, long[]> counts, final CheckReport report) {
        final FrameTable frames = platform.frames();
        final long[] head = counts.getOrDefault(folio, new long[3]);
        final long references = head[0] + (platform.hugeZero().is(folio) ? 1 : 0);
        if (frames.refCount(folio) != references) {
            report.violated(
                    "I4", "folio " + folio + ": refcount " + frames.refCount(folio) + ", entries " + references);
        }
        long mappings = head[2];
        for (long pfn = folio; pfn < folio + frames.compoundFrames(); pfn++) {
            final long own = counts.getOrDefault(pfn, new long[3])[1];
            mappings += own;
            if (frames.mapCount(pfn) != own + head[2]) {
                report.violated(
                        "I5",
                        "frame " + pfn + " of folio " + folio + ": mapcount " + frames.mapCount(pfn) + ", mappings "
                                + own + ", huge ones " + head[2]);
            }
        }
        if (frames.folioMapCount(folio) != mappings) {
            report.violated(
                    "I5", "folio " + folio + ": mapcount " + frames.folioMapCount(folio) + ", mappings " + mappings);
        }
    }

    private static void count(
            final Task task,
            final Platform platform,
            final AddressSpace space,
            final Map<Long, long[]> counts,
            final CheckReport report) {
        final PteEncoding encoding = platform.encoding();
        final boolean exclusiveCounts = platform.profile().exclusiveKeepsMapcount();
        final long[] rss = new long[2]; // anonymous pages, swap entries
        PageScan.visit(
                task,
                space,
                (vma, addr, pte) -> {
                    final PteKind kind = encoding.kind(pte);
                    if (kind == PteKind.SWAP) {
                        rss[1]++;
                        return;
                    }
                    final boolean present = kind == PteKind.PRESENT;
                    if (!present && !kind.carriesFrameNumber()) {
                        return;
                    }
                    final long pfn = present ? encoding.frameNumber(pte) : encoding.swapFrameNumber(pte);
                    if (pfn == FrameAllocator.ZERO_FRAME) {
                        return;
                    }
                    rss[0]++;
                    final long[] count = counts.computeIfAbsent(pfn, unused -> new long[3]);
                    if (!kind.isMigration()) {
                        // A migration entry's reference is the migrating thread's.
                        counts.computeIfAbsent(platform.frames().head(pfn), unused -> new long[3])[0]++;
                        if (!kind.isDeviceExclusive() || exclusiveCounts) {
                            count[1]++;
                        }
                    }
                },
                (vma, addr, pmd) -> {
                    final long folio = HugePmd.frameNumber(pmd);
                    if (!platform.hugeZero().is(folio)) {
                        rss[0] += platform.frames().compoundFrames();
                        final long[] count = counts.computeIfAbsent(folio, unused -> new long[3]);
                        count[0]++;
                        count[2]++;
                    }
                });
        if (space.anonPages().value() != rss[0]) {
            report.violated("I6", space + ": anonPages " + space.anonPages().value() + ", entries " + rss[0]);
        }
        if (space.swapEntries().value() != rss[1]) {
            report.violated("I6", space + ": swapEntries " + space.swapEntries().value() + ", entries " + rss[1]);
        }
    }
}
