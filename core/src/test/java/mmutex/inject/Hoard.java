package mmutex.inject;

import java.util.ArrayDeque;
import java.util.Deque;
import mmutex.memory.FrameAllocator;
import mmutex.memory.TableArena;
import mmutex.mm.Platform;

/**
 * Takes a machine's free frames or tables and keeps all but a few, so that the next operations run out: allocation failure
 * without a switch in core. {@link #release} gives everything back.
 */
public final class Hoard {
    private final Platform platform;
    private final Deque<Long> frames = new ArrayDeque<>();
    private final Deque<Long> tables = new ArrayDeque<>();

    private Hoard(final Platform platform) {
        this.platform = platform;
    }

    /** Leaves so many frames free. */
    public static Hoard ofFrames(final Platform platform, final int left) {
        final Hoard hoard = new Hoard(platform);
        for (long pfn; (pfn = platform.allocator().allocate()) != FrameAllocator.NONE; ) {
            hoard.frames.push(pfn);
        }
        for (int i = 0; i < left && !hoard.frames.isEmpty(); i++) {
            platform.allocator().put(hoard.frames.pop());
        }
        return hoard;
    }

    /** Leaves so many tables free. */
    public static Hoard ofTables(final Platform platform, final int left) {
        final Hoard hoard = new Hoard(platform);
        for (long table; (table = platform.tables().allocate(0)) != TableArena.NO_TABLE; ) {
            hoard.tables.push(table);
        }
        for (int i = 0; i < left && !hoard.tables.isEmpty(); i++) {
            hoard.free(hoard.tables.pop());
        }
        return hoard;
    }

    /** Gives everything back. */
    public void release() {
        while (!frames.isEmpty()) {
            platform.allocator().put(frames.pop());
        }
        while (!tables.isEmpty()) {
            free(tables.pop());
        }
    }

    private void free(final long table) {
        platform.tables().freeChain(table);
    }
}
