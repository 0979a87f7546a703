package mmutex.change;

import mmutex.memory.FrameTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * Which frames reclaim and compaction may take away, and how they hold one meanwhile: isolate_lru_page and a trylock, in
 * the kernel's terms.
 */
final class MovablePages {
    private static final long IMMOVABLE =
            FrameTable.FILE | FrameTable.DEVICE_PRIVATE | FrameTable.KSM | FrameTable.COMPOUND_TAIL;

    private MovablePages() {}

    /** References and locks a small anonymous page that is mapped; false, with nothing held, if it can't be had at once. */
    static boolean isolate(final Task task, final Platform platform, final long pfn) {
        return isolate(task, platform, pfn, 0);
    }

    /** The same for a large folio. */
    static boolean isolateLarge(final Task task, final Platform platform, final long folio) {
        return isolate(task, platform, folio, FrameTable.COMPOUND_HEAD);
    }

    private static boolean isolate(final Task task, final Platform platform, final long pfn, final long large) {
        final FrameTable frames = platform.frames();
        if (!isMovable(frames, pfn, large) || !frames.tryGet(pfn)) {
            return false;
        }
        if (!platform.pageLock().tryLock(task, pfn)) {
            platform.allocator().put(pfn);
            return false;
        }
        // Again: the frame may have changed hands before it was ours. Whoever else holds it is using it.
        final boolean movable = isMovable(frames, pfn, large) && frames.refCount(pfn) == frames.folioMapCount(pfn) + 1;
        if (!movable) {
            putBack(task, platform, pfn);
        }
        return movable;
    }

    private static boolean isMovable(final FrameTable frames, final long pfn, final long large) {
        final long state = frames.state(pfn);
        return (state & (FrameTable.ANON | IMMOVABLE | FrameTable.COMPOUND_HEAD)) == (FrameTable.ANON | large)
                && frames.folioMapCount(pfn) > 0;
    }

    /** Whether nobody but us holds an isolated folio once it has been unmapped everywhere. */
    static boolean isUnused(final FrameTable frames, final long folio) {
        return frames.folioMapCount(folio) == 0 && frames.refCount(folio) == 1;
    }

    static void putBack(final Task task, final Platform platform, final long pfn) {
        platform.pageLock().unlock(task, pfn);
        platform.allocator().put(pfn);
    }
}
