package mmutex.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.SwapEntry;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Counter;
import mmutex.mm.FileMapping;
import mmutex.mm.Platform;
import mmutex.mm.SwapCache;
import mmutex.mm.Task;

/**
 * The counting rules, by a full scan at quiescence: I4 (refcount, of frames and of swap slots; caches and the huge-page pool
 * hold references too), I5 (mapcount), I6 (the counters of an address space).
 */
final class CountChecker {
    // Counters of an address space.
    private static final int ANON = 0;
    private static final int FILE = 1;
    private static final int SHMEM = 2;
    private static final int SWAP = 3;

    private CountChecker() {}

    /** What a frame's record should say; references and huge entries of a folio are its first frame's. */
    private static final class Expected {
        private static final Expected NOTHING = new Expected();

        private long references;
        /** By entries of the frame's own. */
        private long mappings;

        private long hugeEntries;
    }

    private static Expected of(final Map<Long, Expected> counts, final long pfn) {
        return counts.computeIfAbsent(pfn, unused -> new Expected());
    }

    static void atQuiescence(
            final Task task, final Platform platform, final List<AddressSpace> spaces, final CheckReport report) {
        report.looking("I4", "I5", "I6");
        final Map<Long, Expected> counts = new HashMap<>();
        final Map<Long, Long> swapped = new HashMap<>();
        for (final AddressSpace space : spaces) {
            count(task, platform, space, counts, swapped, report);
        }
        countCaches(platform, counts, report);
        if (platform.swap() != null) {
            countSlots(task, platform.swapCache(), counts, swapped, report);
        }
        for (int page = 0; page < platform.hugePages().size(task); page++) {
            for (final long pfn : platform.hugePages().frames(task, page)) {
                of(counts, pfn).references++;
            }
        }
        final FrameTable frames = platform.frames();
        for (long pfn = FrameAllocator.ZERO_FRAME + 1;
                pfn < platform.allocator().limit();
                pfn++) {
            final Expected expected = counts.getOrDefault(pfn, Expected.NOTHING);
            if (frames.has(pfn, FrameTable.COMPOUND_HEAD)) {
                compound(platform, pfn, counts, report);
            } else if (frames.has(pfn, FrameTable.COMPOUND_TAIL)) {
                continue; // counted with the head
            } else if (frames.refCount(pfn) != expected.references) {
                report.violated(
                        "I4",
                        "frame " + pfn + ": refcount " + frames.refCount(pfn) + ", entries " + expected.references);
            }
            if (!frames.isLarge(pfn) && frames.mapCount(pfn) != expected.mappings) {
                report.violated(
                        "I5",
                        "frame " + pfn + ": mapcount " + frames.mapCount(pfn) + ", mappings " + expected.mappings);
            }
        }
    }

    /** All pages of a compound page: references and huge entries are the head's, the rest each page's own. */
    private static void compound(
            final Platform platform, final long folio, final Map<Long, Expected> counts, final CheckReport report) {
        final FrameTable frames = platform.frames();
        final Expected head = counts.getOrDefault(folio, Expected.NOTHING);
        final long references = head.references + (platform.hugeZero().is(folio) ? 1 : 0);
        if (frames.refCount(folio) != references) {
            report.violated(
                    "I4", "folio " + folio + ": refcount " + frames.refCount(folio) + ", entries " + references);
        }
        long mappings = head.hugeEntries;
        for (long pfn = folio; pfn < folio + frames.compoundFrames(); pfn++) {
            final long own = counts.getOrDefault(pfn, Expected.NOTHING).mappings;
            mappings += own;
            if (frames.mapCount(pfn) != own + head.hugeEntries) {
                report.violated(
                        "I5",
                        "frame " + pfn + " of folio " + folio + ": mapcount " + frames.mapCount(pfn) + ", mappings "
                                + own + ", huge ones " + head.hugeEntries);
            }
        }
        if (frames.folioMapCount(folio) != mappings) {
            report.violated(
                    "I5", "folio " + folio + ": mapcount " + frames.folioMapCount(folio) + ", mappings " + mappings);
        }
    }

    private static void countCaches(
            final Platform platform, final Map<Long, Expected> counts, final CheckReport report) {
        for (final FileMapping file : platform.files()) {
            final long end = file.sizeLimit();
            for (long index = file.nextCached(0, end); index < end; index = file.nextCached(index + 1, end)) {
                final long pfn = file.peek(index);
                of(counts, pfn).references++;
                if (index >= file.size()) {
                    report.violated("I4", file + " page " + index + ": behind its end, " + file.size());
                }
            }
        }
    }

    /** A slot is referred to by its entries, and by the swap cache if that has its page; the cache refers to the page too. */
    private static void countSlots(
            final Task task,
            final SwapCache cache,
            final Map<Long, Expected> counts,
            final Map<Long, Long> swapped,
            final CheckReport report) {
        for (long slot = 1; slot <= cache.slots().capacity(); slot++) {
            final long pfn = cache.peek(task, slot);
            final boolean cached = pfn != FrameAllocator.NONE;
            if (cached) {
                of(counts, pfn).references++;
            }
            final long expected = swapped.getOrDefault(slot, 0L) + (cached ? 1 : 0);
            if (cache.slots().count(slot) != expected) {
                report.violated(
                        "I4",
                        "swap slot " + slot + ": count " + cache.slots().count(slot) + ", references " + expected);
            }
        }
    }

    private static void count(
            final Task task,
            final Platform platform,
            final AddressSpace space,
            final Map<Long, Expected> counts,
            final Map<Long, Long> swapped,
            final CheckReport report) {
        final PteEncoding encoding = platform.encoding();
        final boolean exclusiveCounts = platform.profile().exclusiveKeepsMapcount();
        final long[] rss = new long[SWAP + 1];
        PageScan.visit(
                task,
                space,
                (vma, addr, pte) -> {
                    final PteKind kind = encoding.kind(pte);
                    if (kind == PteKind.SWAP) {
                        rss[SWAP]++;
                        swapped.merge(SwapEntry.offset(encoding.toSwapEntry(pte)), 1L, Long::sum);
                        return;
                    }
                    final boolean present = kind == PteKind.PRESENT;
                    if (!present && !kind.carriesFrameNumber()) {
                        return;
                    }
                    final long pfn = encoding.anyFrameNumber(pte);
                    if (pfn == FrameAllocator.ZERO_FRAME) {
                        return;
                    }
                    if (!vma.has(VmFlags.HUGETLB)) {
                        rss[counter(platform.frames(), pfn)]++;
                    }
                    if (!kind.isMigration()) {
                        // A migration entry's reference is the migrating thread's.
                        of(counts, platform.frames().head(pfn)).references++;
                        if (!kind.isDeviceExclusive() || exclusiveCounts) {
                            of(counts, pfn).mappings++;
                        }
                    }
                },
                (vma, addr, pmd) -> {
                    final long folio = HugePmd.frameNumber(pmd);
                    if (!platform.hugeZero().is(folio)) {
                        rss[ANON] += platform.frames().compoundFrames();
                        final Expected expected = of(counts, folio);
                        expected.references++;
                        expected.hugeEntries++;
                    }
                });
        compare(space, "anonPages", space.anonPages(), rss[ANON], report);
        compare(space, "filePages", space.filePages(), rss[FILE], report);
        compare(space, "shmemPages", space.shmemPages(), rss[SHMEM], report);
        compare(space, "swapEntries", space.swapEntries(), rss[SWAP], report);
    }

    private static int counter(final FrameTable frames, final long pfn) {
        if (!frames.has(pfn, FrameTable.FILE)) {
            return ANON;
        }
        return frames.mapping(pfn) == 0 ? FILE : SHMEM;
    }

    private static void compare(
            final AddressSpace space,
            final String name,
            final Counter counter,
            final long entries,
            final CheckReport report) {
        if (counter.value() != entries) {
            report.violated("I6", space + ": " + name + " " + counter.value() + ", entries " + entries);
        }
    }
}
