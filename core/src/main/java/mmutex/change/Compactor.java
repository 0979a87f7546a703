package mmutex.change;

import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * Moves pages to the low end of memory: compact_zone, mm/compaction.c, and migrate_folio, mm/migrate.c (6.12); semantics
 * 3.18. Processes notice nothing but new frame numbers, and that a page which was exclusive to a device (from 6.15 on; up to
 * 6.14 such a page is not found, and stays) is present afterwards, read-only until the next write.
 *
 * <p>Threads: any task that holds no lock, or the mmap lock shared.
 */
public final class Compactor {
    /** Free frames held at a time that lie too high: enough to look below what the moves themselves have freed. */
    private static final int HELD_MAX = 64;

    private Compactor() {}

    /** Moves what can be moved without waiting for anybody; returns how many pages it was. */
    public static int compact(final Task task, final Platform platform) {
        final long[] held = new long[HELD_MAX];
        int holding = 0;
        int moved = 0;
        for (long pfn = platform.allocator().limit() - 1; pfn > FrameAllocator.ZERO_FRAME; pfn--) {
            if (!MovablePages.isolate(task, platform, pfn)) {
                continue;
            }
            long target = platform.allocator().allocate();
            while (target > pfn && holding < HELD_MAX) {
                held[holding++] = target;
                target = platform.allocator().allocate();
            }
            final boolean gains = target != FrameAllocator.NONE && target < pfn;
            if (gains && move(task, platform, pfn, target)) {
                moved++;
            } else if (target != FrameAllocator.NONE) {
                platform.allocator().put(target);
            }
            MovablePages.putBack(task, platform, pfn);
        }
        for (int i = 0; i < holding; i++) {
            platform.allocator().put(held[i]);
        }
        return moved;
    }

    /** migrate_folio: both frames are ours, the source is locked; afterwards the source is nobody's but ours. */
    private static boolean move(final Task task, final Platform platform, final long from, final long to) {
        final FrameTable frames = platform.frames();
        platform.pageLock().lock(task, to); // nobody else can have it, but for a stale locker (R2)
        // 1. Unmapped everywhere: whoever touches the page now waits for the lock of its frame.
        MigrationEntries.installEverywhere(task, platform, from);
        // 2. Nobody else uses it? Then its contents and its record move.
        final boolean movable = MovablePages.isUnused(frames, from);
        if (movable) {
            platform.data().copyFrame(from, to);
            frames.setMapping(to, frames.mapping(from), frames.index(from));
            frames.setBits(to, frames.state(from) & (FrameTable.ANON | FrameTable.DIRTY | FrameTable.LAZY_FREE));
        }
        // 3. The entries lead to where the page is.
        MigrationEntries.remove(task, platform, from, movable ? to : from);
        platform.pageLock().unlock(task, to);
        if (movable) {
            platform.allocator().put(to); // the entries have references of their own
        }
        return movable;
    }
}
