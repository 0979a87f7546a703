package mmutex.inject;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import mmutex.memory.FrameAllocator;
import mmutex.memory.SwapSlots;
import mmutex.memory.TableArena;
import mmutex.mm.DeviceMemory;
import mmutex.mm.HugePagePool;
import mmutex.mm.Platform;
import mmutex.sync.Actor;

/**
 * Takes what a machine has of something and keeps all but a few, so that the next operations run out: allocation failure
 * without a switch in core. {@link #release} gives everything back.
 */
public final class Hoard {
    /** How each thing taken is given back; the last taken first. */
    private final Deque<Runnable> taken = new ArrayDeque<>();

    /**
     * Takes all there is, then gives some back.
     *
     * @param take takes one, and says how to give it back; null if there is none
     */
    private Hoard(final Supplier<Runnable> take, final int left) {
        for (Runnable one = take.get(); one != null; one = take.get()) {
            taken.push(one);
        }
        for (int i = 0; i < left && !taken.isEmpty(); i++) {
            taken.pop().run();
        }
    }

    /** Leaves so many frames free. */
    public static Hoard ofFrames(final Platform platform, final int left) {
        return new Hoard(
                () -> {
                    final long pfn = platform.allocator().allocate();
                    return pfn == FrameAllocator.NONE
                            ? null
                            : () -> platform.allocator().put(pfn);
                },
                left);
    }

    /** Leaves so many runs of frames that a large folio can have; single frames are not touched. */
    public static Hoard ofCompoundPages(final Platform platform, final int left) {
        return new Hoard(
                () -> {
                    final long folio = platform.allocator().allocateCompound();
                    return folio == FrameAllocator.NONE
                            ? null
                            : () -> platform.allocator().put(folio);
                },
                left);
    }

    /** Leaves so many tables free. */
    public static Hoard ofTables(final Platform platform, final int left) {
        return new Hoard(
                () -> {
                    final long table = platform.tables().allocate(0);
                    return table == TableArena.NO_TABLE
                            ? null
                            : () -> platform.tables().free(table);
                },
                left);
    }

    /** Leaves so many swap slots free. */
    public static Hoard ofSwapSlots(final SwapSlots swap, final int left) {
        return new Hoard(
                () -> {
                    final long slot = swap.allocate();
                    return slot == SwapSlots.NONE ? null : () -> swap.put(slot);
                },
                left);
    }

    /** Leaves a device so many of its pages, of those that it has. */
    public static Hoard ofDeviceMemory(final Platform platform, final DeviceMemory memory, final int left) {
        return new Hoard(
                () -> {
                    final long pfn = memory.allocate(0);
                    return pfn == FrameAllocator.NONE ? null : () -> platform.putPage(pfn);
                },
                left);
    }

    /** Leaves so many huge pages in the pool that nobody has been promised. */
    public static Hoard ofPooledPages(final Platform platform, final Actor actor, final int left) {
        final HugePagePool pool = platform.hugePages();
        return new Hoard(() -> pool.reserve(actor, 1) ? () -> pool.unreserve(actor, 1) : null, left);
    }

    /** Gives everything back. */
    public void release() {
        while (!taken.isEmpty()) {
            taken.pop().run();
        }
    }
}
