package mmutex.stress.litmus.support;

import java.util.concurrent.atomic.AtomicInteger;
import mmutex.layout.Encodings;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;

/**
 * Parts of core that all states of a test share.
 *
 * <p>Threads: any.
 */
public final class World {
    /** The encoding in use. */
    public static final String ENCODING = "x86-64-6.12";
    /** CPUs of {@link #PLATFORM}. */
    public static final int CPUS = 2;
    /** Memory, encoding and locks of one machine. */
    public static final Platform PLATFORM =
            new Platform(Encodings.byName(ENCODING), SemanticProfile.K612, Slab.PLACES, 2L * Slab.PLACES, CPUS);

    private static final AtomicInteger NEXT_TASK = new AtomicInteger(1000);
    private static final ThreadLocal<Task> TASK =
            ThreadLocal.withInitial(() -> new Task(NEXT_TASK.getAndIncrement(), "litmus"));

    private World() {}

    /** The calling thread's task, for what surrounds a test: constructors and arbiters, which jcstress calls from any. */
    public static Task task() {
        return TASK.get();
    }

    /** A present, writable, dirty, young entry. */
    public static long presentEntry(final long pfn) {
        final PteEncoding encoding = PLATFORM.encoding();
        return encoding.mkYoung(encoding.mkDirty(
                encoding.mkWrite(encoding.present(pfn, encoding.protection(VmFlags.READ | VmFlags.WRITE)))));
    }

    /** Frame records for tests that need one a state, each allocated, with reference count 1; contents of a line. */
    public static FrameTable framesOfPlaces() {
        final FrameTable frames = new FrameTable(Slab.PLACES + 2L);
        final FrameAllocator allocator = new FrameAllocator(frames, new FrameData(Slab.PLACES + 2L, 6));
        for (int place = 0; place < Slab.PLACES; place++) {
            if (allocator.allocate() != frame(place)) {
                throw new IllegalStateException("fresh frames don't come in order: place=" + place);
            }
        }
        return frames;
    }

    /** The frame of a place, in {@link #framesOfPlaces}. */
    public static long frame(final int place) {
        return place + 2L;
    }
}
