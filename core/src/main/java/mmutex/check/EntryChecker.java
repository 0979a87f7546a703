package mmutex.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;

/** What each CPU entry may say: I14, I16, I18, I21, I30 now; I17 at quiescence. */
final class EntryChecker {
    private EntryChecker() {}

    static void now(
            final Task task, final Platform platform, final List<AddressSpace> spaces, final CheckReport report) {
        report.looking("I14", "I16", "I18", "I21", "I30");
        if (!platform.data().isZero(FrameAllocator.ZERO_FRAME)) {
            report.violated("I30", "the zero frame does not read zero");
        }
        if (platform.frames().has(FrameAllocator.ZERO_FRAME, FrameTable.LOCKED)) {
            report.violated("I30", "the zero frame is locked");
        }
        for (final AddressSpace space : spaces) {
            space.mmapLock().readLock(task);
            // Of a huge entry the head speaks for all: AnonExclusive is its alone.
            PageScan.visit(
                    task,
                    space,
                    (vma, addr, pte) -> entry(platform, vma, addr, pte, report),
                    (vma, addr, pmd) -> huge(platform, vma, addr, pmd, report));
            space.mmapLock().readUnlock(task);
        }
    }

    private static void hugeZero(final Platform platform, final CheckReport report) {
        final long folio = platform.hugeZero().current();
        for (int i = 0; folio != FrameAllocator.NONE && i < platform.frames().compoundFrames(); i++) {
            if (!platform.data().isZero(folio + i)) {
                report.violated("I30", "the huge page of zeroes does not read zero: page " + i);
            }
        }
    }

    private static void entry(
            final Platform platform, final Vma vma, final long addr, final long pte, final CheckReport report) {
        final PteEncoding encoding = platform.encoding();
        final boolean present = encoding.isPresent(pte);
        final PteKind kind = encoding.kind(pte);
        if (!present && !kind.carriesFrameNumber()) {
            return;
        }
        final long pfn = encoding.anyFrameNumber(pte);
        // Words only for what is wrong: most entries are right, and there are many.
        final Supplier<String> where = () -> PageScan.at(vma.space(), addr) + " frame " + pfn;
        if (pfn == FrameAllocator.ZERO_FRAME) {
            if (!present || encoding.isWritable(pte)) {
                report.violated("I30", where.get() + ": the zero frame is " + (present ? "writable" : kind));
            }
            return;
        }
        // A folio that is being split is frozen: locked, and without references for a moment.
        final boolean moving =
                kind.isMigration() && platform.frames().has(platform.frames().head(pfn), FrameTable.LOCKED);
        if (platform.frames().refCount(pfn) == 0 && !moving) {
            report.violated("I14", where.get() + ": " + kind + " entry of a free frame");
        }
        if (kind.isDeviceExclusive()) {
            exclusive(platform, vma, pfn, where, report);
        }
        if (platform.frames().has(pfn, FrameTable.FILE)) {
            ofFile(platform.frames(), vma, addr, pfn, where, report);
        }
        final boolean devicePrivate = platform.frames().has(pfn, FrameTable.DEVICE_PRIVATE);
        if (devicePrivate != kind.isDevicePrivate() && !kind.isMigration()) {
            report.violated(
                    "I16",
                    where.get() + ": " + kind + " entry, but the frame is " + (devicePrivate ? "" : "not ")
                            + "in a device's memory");
        }
        if (kind.isMigration() && !moving) {
            report.violated("I21", where.get() + ": " + kind + " entry, but the page is not locked");
        }
        if (present && encoding.isWritable(pte)) {
            writable(platform, vma, pfn, where, encoding.isUffdWp(pte), report);
        }
    }

    private static void huge(
            final Platform platform, final Vma vma, final long addr, final long pmd, final CheckReport report) {
        final long folio = HugePmd.frameNumber(pmd);
        if (platform.hugeZero().is(folio) && HugePmd.isWritable(pmd)) {
            report.violated("I30", PageScan.at(vma.space(), addr) + ": the huge page of zeroes is writable");
        }
        if (!platform.frames().has(folio, FrameTable.COMPOUND_HEAD)) {
            report.violated("I14", PageScan.at(vma.space(), addr) + ": huge entry of frame " + folio + ", no head");
        }
        entry(platform, vma, addr, HugePmd.leaf(platform.encoding(), pmd, 0, vma.protection()), report);
    }

    private static void exclusive(
            final Platform platform,
            final Vma vma,
            final long pfn,
            final Supplier<String> where,
            final CheckReport report) {
        if (vma.has(VmFlags.HUGETLB)) {
            report.violated("I16", where.get() + ": exclusive in a hugetlb mapping");
        }
        if (platform.profile().makeAcceptsShared()) {
            return;
        }
        if (!platform.frames().has(pfn, FrameTable.ANON)) {
            report.violated("I16", where.get() + ": exclusive, but not anonymous memory");
        }
        if (!VmFlags.isCowMapping(vma.flags())) {
            report.violated("I16", where.get() + ": exclusive in a mapping that is not copied on write");
        }
    }

    /** A page in a page cache is mapped where the file has it, and nowhere else; a driver's in its own mapping. */
    private static void ofFile(
            final FrameTable frames,
            final Vma vma,
            final long addr,
            final long pfn,
            final Supplier<String> where,
            final CheckReport report) {
        final boolean inPlace = frames.mapping(pfn) == 0
                ? vma.has(VmFlags.MIXEDMAP)
                : vma.file() != null
                        && vma.file().id() == frames.mapping(pfn)
                        && vma.linearIndex(addr) == frames.index(pfn);
        if (!inPlace) {
            report.violated("I14", where.get() + ": a page that the mapped file does not have there");
        }
    }

    private static void writable(
            final Platform platform,
            final Vma vma,
            final long pfn,
            final Supplier<String> where,
            final boolean uffdWp,
            final CheckReport report) {
        if (!vma.has(VmFlags.WRITE)) {
            report.violated("I18", where.get() + ": writable in a VMA that is not");
        }
        if (uffdWp) {
            report.violated("I18", where.get() + ": writable and uffd-wp");
        }
        final FrameTable frames = platform.frames();
        if (!frames.has(pfn, FrameTable.ANON) && !vma.has(VmFlags.SHARED)) {
            report.violated("I18", where.get() + ": a file's page is writable through a private mapping");
        }
        final boolean ours = platform.profile().hasAnonExclusive()
                ? frames.has(pfn, FrameTable.ANON_EXCLUSIVE)
                : frames.mapCount(pfn) <= 1;
        if (frames.has(pfn, FrameTable.ANON) && !ours) {
            report.violated("I18", where.get() + ": writable although shared copy-on-write");
        }
    }

    static void atQuiescence(
            final Task task, final Platform platform, final List<AddressSpace> spaces, final CheckReport report) {
        report.looking("I17");
        hugeZero(platform, report); // 2 MiB: too much to look at while others work
        final PteEncoding encoding = platform.encoding();
        final Map<Long, Integer> references = new HashMap<>();
        final Map<Long, String> exclusive = new HashMap<>();
        for (final AddressSpace space : spaces) {
            PageScan.visit(task, space, (vma, addr, pte) -> {
                final PteKind kind = encoding.kind(pte);
                final boolean present = kind == PteKind.PRESENT;
                if (present || kind.carriesFrameNumber()) {
                    final long pfn = encoding.anyFrameNumber(pte);
                    references.merge(pfn, 1, Integer::sum);
                    if (platform.frames().has(pfn, FrameTable.FILE)) {
                        return; // V3: exclusive through all its mappings at once
                    }
                    if (kind == PteKind.DEVICE_EXCLUSIVE_WRITE || kind == PteKind.DEVICE_EXCLUSIVE) {
                        exclusive.put(pfn, PageScan.at(space, addr));
                    }
                }
            });
        }
        exclusive.forEach((pfn, where) -> {
            if (references.get(pfn) != 1) {
                report.violated("I17", where + " frame " + pfn + ": exclusive, but not its only entry");
            }
            if (platform.profile().hasAnonExclusive() && !platform.frames().has(pfn, FrameTable.ANON_EXCLUSIVE)) {
                report.violated("I17", where + " frame " + pfn + ": exclusive, but not AnonExclusive");
            }
        });
    }
}
