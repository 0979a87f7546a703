package mmutex.check;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Platform;

/**
 * Judges single changes of entries: I15 (who converts and restores), I16 (what may become exclusive), I19 (soft-dirty and
 * uffd-wp survive), I22 (dirtiness is collected), and O1 (no valid entry is stored over).
 *
 * <p>I22, wherever an entry stops saying that its page is dirty: when it is converted, becomes a migration or swap entry, is
 * cleaned, leads to another page, or when it is zapped and the page is a file's. Anonymous memory that is zapped is gone with
 * its last entry, and MADV_FREE gives up on purpose what it cleans.
 *
 * <p>A conversion is a clearing and a store in one section of the leaf-table lock, so what was cleared is remembered until
 * its actor releases such a lock. I19 and I22 hold for an address if they hold for each change of its entry; the shadow of
 * an address is therefore the entry that was there before.
 *
 * <p>Threads: any; every change is judged by the thread that makes it, leaf-table lock held.
 */
final class EntryWatch {
    private final Platform platform;
    private final PteEncoding encoding;
    private final FrameTable frames;
    private final WatchLog log;

    /** What an actor has done in the section of the leaf-table lock that it is in. Used by its actor alone. */
    private static final class Section {
        /** Slot to the entry cleared there, and not replaced. */
        private final Map<Long, Long> cleared = new HashMap<>();
        /** Frames that an entry stored here says are dirty: moved ones. */
        private final Set<Long> dirty = new HashSet<>();
    }

    private final Map<Long, Section> sections = new ConcurrentHashMap<>();

    private final LongAdder conversions = new LongAdder();
    private final LongAdder restores = new LongAdder();

    EntryWatch(final Platform platform, final WatchLog log) {
        this.platform = platform;
        this.encoding = platform.encoding();
        this.frames = platform.frames();
        this.log = log;
    }

    /** Changes from present to exclusive seen. */
    long conversions() {
        return conversions.sum();
    }

    /** Changes from exclusive to present seen. */
    long restores() {
        return restores.sum();
    }

    /** A page that has just been allocated: nobody else can have it locked, so locking it is no wait. */
    boolean isFresh(final long pfn) {
        return frames.refCount(pfn) == 1 && frames.mapCount(pfn) == 0 && frames.mapping(pfn) == 0;
    }

    void released(final long actor) {
        final Section section = sections.get(actor);
        if (section != null) {
            section.cleared.forEach((slot, before) -> zapped(section, slot, before));
            section.cleared.clear();
            section.dirty.clear();
        }
    }

    /** The frame is not freed before the lock is released and the flush is over. */
    private void zapped(final Section section, final long slot, final long before) {
        if (encoding.isPresent(before)) {
            final long pfn = encoding.frameNumber(before);
            if (!section.dirty.contains(pfn) && frames.has(pfn, FrameTable.FILE)) {
                dirtinessCollected(slot, pfn, before);
            }
        }
    }

    void changed(final long slot, final long before, final long after) {
        if (encoding.isPresent(before) && encoding.isPresent(after)) {
            presentChanged(slot, before, after);
            return;
        }
        final long actor = platform.pteLock().holder(slot);
        if (actor == 0) {
            log.violated("O1", at(slot) + ": changed without the leaf-table lock");
            return;
        }
        final Section section = sections.computeIfAbsent(actor, unused -> new Section());
        if (encoding.isNone(after)) {
            section.cleared.put(slot, before);
            return;
        }
        if (encoding.isPresent(after) && encoding.isDirty(after)) {
            section.dirty.add(encoding.frameNumber(after));
        }
        final Long from = encoding.isNone(before) ? section.cleared.remove(slot) : Long.valueOf(before);
        named(slot, after);
        if (from != null && !encoding.isNone(from)) {
            replaced(actor, slot, from, after);
        }
    }

    /** Hardware's bits, protection, or a page reused: the frame stays. */
    private void presentChanged(final long slot, final long before, final long after) {
        if (encoding.frameNumber(before) != encoding.frameNumber(after)) {
            log.violated("O1", at(slot) + ": a valid entry was stored over");
        } else if (!encoding.isDirty(after)) {
            cleaned(slot, before);
        }
    }

    /** Write-protected for same-page merging, say. */
    private void cleaned(final long slot, final long before) {
        final long pfn = encoding.frameNumber(before);
        if (!frames.has(frames.head(pfn), FrameTable.LAZY_FREE)) {
            dirtinessCollected(slot, pfn, before);
        }
    }

    /** What any entry must be that names a frame. */
    private void named(final long slot, final long entry) {
        final PteKind kind = encoding.kind(entry);
        if (!kind.isDeviceExclusive()) {
            return;
        }
        final long pfn = encoding.swapFrameNumber(entry);
        if (frames.refCount(pfn) == 0) {
            log.violated("I14", at(slot) + " frame " + pfn + ": exclusive entry of a free frame");
        }
        if (pfn == FrameAllocator.ZERO_FRAME) {
            log.violated("I16", at(slot) + ": the zero frame became exclusive");
        } else if (!frames.has(pfn, FrameTable.ANON) && !platform.profile().makeAcceptsShared()) {
            log.violated("I16", at(slot) + " frame " + pfn + ": exclusive, but not anonymous");
        }
    }

    private void replaced(final long actor, final long slot, final long before, final long after) {
        final boolean wasPresent = encoding.isPresent(before);
        final boolean isPresent = encoding.isPresent(after);
        if (!wasPresent && !encoding.kind(before).carriesFrameNumber()) {
            return;
        }
        final long pfn = encoding.anyFrameNumber(before);
        final boolean same = sameFrame(pfn, after);
        final boolean collects = wasPresent && encoding.kind(after) == PteKind.SWAP;
        if (collects || wasPresent && !isPresent && same) {
            dirtinessCollected(slot, pfn, before);
        } else if (wasPresent && same && !encoding.isDirty(after)) {
            cleaned(slot, before);
        } else if (wasPresent && !same && frames.has(pfn, FrameTable.FILE)) {
            dirtinessCollected(slot, pfn, before);
        }
        if (!same) {
            return;
        }
        final boolean wasExclusive = !wasPresent && encoding.isDeviceExclusive(before);
        final boolean isExclusive = !isPresent && encoding.isDeviceExclusive(after);
        if (wasPresent && isExclusive) {
            conversions.increment();
            lockHeld(actor, slot, pfn, "made exclusive");
        } else if (wasExclusive && isPresent) {
            restores.increment();
            lockHeld(actor, slot, pfn, "restored");
        }
        final boolean demoted = wasExclusive && isExclusive && encoding.kind(before) != encoding.kind(after);
        if (wasPresent && isExclusive || wasExclusive && isPresent || demoted) {
            bitsSurvive(slot, pfn, before, after);
        }
    }

    private boolean sameFrame(final long pfn, final long entry) {
        return (encoding.isPresent(entry) || encoding.kind(entry).carriesFrameNumber())
                && encoding.anyFrameNumber(entry) == pfn;
    }

    /** Lock and dirty bit of a large folio are its head's. */
    private void lockHeld(final long actor, final long slot, final long pfn, final String what) {
        final long folio = frames.head(pfn);
        if (!frames.has(folio, FrameTable.LOCKED) || frames.lockOwner(folio) != actor) {
            log.violated(
                    "I15",
                    at(slot) + " frame " + pfn + ": " + what + " by actor " + actor
                            + " without the page lock, which is held by " + frames.lockOwner(folio));
        }
    }

    private void bitsSurvive(final long slot, final long pfn, final long before, final long after) {
        if (isSoftDirty(before) && !isSoftDirty(after)) {
            log.violated("I19", at(slot) + " frame " + pfn + ": soft-dirty lost");
        }
        if (isUffdWp(before) && !isUffdWp(after)) {
            log.violated("I19", at(slot) + " frame " + pfn + ": uffd-wp lost");
        }
    }

    private boolean isSoftDirty(final long entry) {
        return encoding.isPresent(entry) ? encoding.isSoftDirty(entry) : encoding.isSwapSoftDirty(entry);
    }

    private boolean isUffdWp(final long entry) {
        return encoding.isPresent(entry) ? encoding.isUffdWp(entry) : encoding.isSwapUffdWp(entry);
    }

    private void dirtinessCollected(final long slot, final long pfn, final long before) {
        if (encoding.isDirty(before) && !frames.isDirty(pfn)) {
            log.violated("I22", at(slot) + " frame " + pfn + ": the entry's dirty bit was not collected");
        }
    }

    private static String at(final long slot) {
        return "entry at 0x" + Long.toHexString(slot);
    }
}
