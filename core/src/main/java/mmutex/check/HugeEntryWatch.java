package mmutex.check;

import java.util.concurrent.atomic.LongAdder;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Platform;

/**
 * Judges single changes of huge entries: I14 (what is mapped exists), I19 (soft-dirty and uffd-wp survive a split), I22 (so
 * does dirtiness), and O1 (the lock is held, and no entry that hardware still accepts is stored over). A page never becomes
 * exclusive under a huge entry, so I15 and I16 begin with the single ones.
 *
 * <p>Threads: any; every change is judged by the thread that makes it, and by itself.
 */
final class HugeEntryWatch {
    private final Platform platform;
    private final PteEncoding encoding;
    private final FrameTable frames;
    private final WatchLog log;
    private final LongAdder splits = new LongAdder();

    HugeEntryWatch(final Platform platform, final WatchLog log) {
        this.platform = platform;
        this.encoding = platform.encoding();
        this.frames = platform.frames();
        this.log = log;
    }

    /** Changes from a huge entry to a table of single ones seen. */
    long splits() {
        return splits.sum();
    }

    void changed(final long slot, final long before, final long after) {
        final boolean same = HugePmd.isHuge(before)
                && HugePmd.isHuge(after)
                && HugePmd.frameNumber(before) == HugePmd.frameNumber(after);
        if (same) {
            return; // hardware's bits, protection, or on the way to something else
        }
        if (platform.pteLock().holder(slot) == 0) {
            log.violated("O1", at(slot) + ": changed without its table's lock");
            return;
        }
        if (HugePmd.isHuge(before) && after != 0 && HugePmd.permits(before, false)) {
            log.violated("O1", at(slot) + ": a valid huge entry was stored over");
        }
        if (HugePmd.isHuge(after)) {
            installed(slot, HugePmd.frameNumber(after));
        } else if (HugePmd.isHuge(before) && after != 0) {
            splits.increment();
            split(slot, before, after);
        }
    }

    private void installed(final long slot, final long folio) {
        if (!frames.has(folio, FrameTable.COMPOUND_HEAD) || frames.refCount(folio) == 0) {
            log.violated("I14", at(slot) + " frame " + folio + ": a huge entry of what is no compound page in use");
        }
    }

    private void split(final long slot, final long pmd, final long leafTable) {
        final long folio = HugePmd.frameNumber(pmd);
        final boolean zero = platform.hugeZero().is(folio);
        if (!zero && HugePmd.isDirty(pmd) && !frames.isDirty(folio)) {
            log.violated("I22", at(slot) + " frame " + folio + ": the huge entry's dirty bit was not collected");
        }
        for (int i = 0; i < frames.compoundFrames(); i++) {
            final long entry = platform.tables().entries().loadAcquire(leafTable + (long) i * Long.BYTES);
            final long expected = zero ? FrameAllocator.ZERO_FRAME : folio + i;
            if (!encoding.isPresent(entry) || encoding.frameNumber(entry) != expected) {
                log.violated("I14", at(slot) + " page " + i + ": not mapped as before the split");
                return;
            }
            if (!zero && frames.mapCount(expected) == 0) {
                log.violated("I14", at(slot) + " frame " + expected + ": mapped by a split, but not counted");
                return;
            }
            if (!zero && HugePmd.isSoftDirty(pmd) && !encoding.isSoftDirty(entry)) {
                log.violated("I19", at(slot) + " frame " + expected + ": soft-dirty lost by a split");
                return;
            }
            if (HugePmd.isUffdWp(pmd) && !encoding.isUffdWp(entry)) {
                log.violated("I19", at(slot) + " frame " + expected + ": uffd-wp lost by a split");
                return;
            }
        }
    }

    private static String at(final long slot) {
        return "huge entry at 0x" + Long.toHexString(slot);
    }
}
