package mmutex.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
        final Map<Long, long[]> counts = new HashMap<>(); // frame -> references, mappings
        for (final AddressSpace space : spaces) {
            count(task, platform, space, counts, report);
        }
        final FrameTable frames = platform.frames();
        for (long pfn = FrameAllocator.ZERO_FRAME + 1;
                pfn < platform.allocator().limit();
                pfn++) {
            final long[] expected = counts.getOrDefault(pfn, new long[2]);
            if (frames.refCount(pfn) != expected[0]) {
                report.violated(
                        "I4", "frame " + pfn + ": refcount " + frames.refCount(pfn) + ", entries " + expected[0]);
            }
            if (frames.mapCount(pfn) != expected[1]) {
                report.violated(
                        "I5", "frame " + pfn + ": mapcount " + frames.mapCount(pfn) + ", mappings " + expected[1]);
            }
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
        PageScan.visit(task, space, (vma, addr, pte) -> {
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
            final long[] count = counts.computeIfAbsent(pfn, unused -> new long[2]);
            if (!kind.isMigration()) {
                count[0]++; // a migration entry's reference is the migrating thread's
                if (!kind.isDeviceExclusive() || exclusiveCounts) {
                    count[1]++;
                }
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
