package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameData;
import mmutex.memory.FrameTable;
import mmutex.memory.TableArena;
import mmutex.stress.litmus.support.CoreSteps;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * {@code ORDER(frame-free-list)} and {@code ORDER(table-free-list)}: nothing is handed out twice, and whoever gets it sees
 * what its last owner did. A handful of frames and tables goes round between the two actors, so that what one pops the
 * other has just pushed.
 */
public final class FreeListStress {
    private static final int ITEMS = 8;
    private static final int GOOD = 1;
    private static final int BAD = 0;

    private FreeListStress() {}

    /** Who has each item; plain accesses, ordered by nothing but the list. */
    private static final class Owners {
        private final int[] owners = new int[ITEMS + 4];

        boolean take(final long item, final int actor) {
            final boolean free = owners[(int) item] == 0;
            owners[(int) item] = actor;
            return free;
        }

        boolean release(final long item, final int actor) {
            final boolean own = owners[(int) item] == actor;
            owners[(int) item] = 0;
            return own;
        }
    }

    /** Frames. */
    @JCStressTest
    @Description("Two actors allocate and free frames.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "each frame had one owner at a time")
    @Outcome(
            expect = FORBIDDEN,
            desc = "a frame had two owners, or its last owner's store came late: ORDER(frame-free-list)")
    @State
    public static class Frames {
        private static final FrameTable FRAMES = new FrameTable(ITEMS + 2);
        private static final FrameAllocator ALLOCATOR = new FrameAllocator(FRAMES, new FrameData(ITEMS + 2, 6));
        private static final Owners OWNERS = new Owners();

        @Actor
        public void first(final II_Result r) {
            r.r1 = turn(1);
        }

        @Actor
        public void second(final II_Result r) {
            r.r2 = turn(2);
        }

        /** Two pops and a push, then a pop again: what makes a stack without tags lose its head. */
        private static int turn(final int actor) {
            final long a = ALLOCATOR.allocate();
            boolean good = OWNERS.take(a, actor);
            final long b = ALLOCATOR.allocate();
            good &= OWNERS.take(b, actor);
            good &= OWNERS.release(a, actor);
            ALLOCATOR.put(a);
            final long c = ALLOCATOR.allocate();
            good &= OWNERS.take(c, actor);
            good &= OWNERS.release(b, actor);
            ALLOCATOR.put(b);
            good &= OWNERS.release(c, actor);
            ALLOCATOR.put(c);
            return good ? GOOD : BAD;
        }
    }

    /** Frames of runs of four, which are put together when all of them are free, and broken up again. */
    @JCStressTest
    @Description("Two actors allocate and free frames of runs.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "each frame had one owner at a time")
    @Outcome(
            expect = FORBIDDEN,
            desc = "a frame had two owners, or its last owner's store came late: ORDER(frame-free-list)")
    @State
    public static class Runs {
        private static final int ORDER = 2;
        private static final int COUNT = 12;
        private static final FrameTable FRAMES = new FrameTable(COUNT, ORDER);
        private static final FrameAllocator ALLOCATOR = new FrameAllocator(FRAMES, new FrameData(COUNT, 6));
        private static final Owners OWNERS = new Owners();

        static {
            final long first = ALLOCATOR.allocateCompound();
            final long second = ALLOCATOR.allocateCompound();
            ALLOCATOR.allocate(); // the frames before the first run
            ALLOCATOR.allocate();
            ALLOCATOR.put(first);
            ALLOCATOR.put(second);
        }

        @Actor
        public void first(final II_Result r) {
            r.r1 = turn(1);
        }

        @Actor
        public void second(final II_Result r) {
            r.r2 = turn(2);
        }

        private static int turn(final int actor) {
            final long a = ALLOCATOR.allocate();
            boolean good = OWNERS.take(a, actor);
            final long b = ALLOCATOR.allocate();
            good &= OWNERS.take(b, actor);
            good &= OWNERS.release(a, actor);
            ALLOCATOR.put(a);
            good &= OWNERS.release(b, actor);
            ALLOCATOR.put(b);
            return good ? GOOD : BAD;
        }
    }

    /** Tables. */
    @JCStressTest
    @Description("Two actors allocate and free tables.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "each table had one owner at a time")
    @Outcome(
            expect = FORBIDDEN,
            desc = "a table had two owners, or its last owner's store came late: ORDER(table-free-list)")
    @State
    public static class Tables {
        private static final int TABLE_SHIFT = 6;
        private static final TableArena ARENA = new TableArena(TABLE_SHIFT, ITEMS + 1);
        private static final Owners OWNERS = new Owners();

        @Actor
        public void first(final II_Result r) {
            r.r1 = turn(1);
        }

        @Actor
        public void second(final II_Result r) {
            r.r2 = turn(2);
        }

        private static int turn(final int actor) {
            final long a = ARENA.allocate(0);
            boolean good = OWNERS.take(a >>> TABLE_SHIFT, actor);
            final long b = ARENA.allocate(0);
            good &= OWNERS.take(b >>> TABLE_SHIFT, actor);
            good &= OWNERS.release(a >>> TABLE_SHIFT, actor);
            CoreSteps.freeTable(ARENA, a);
            final long c = ARENA.allocate(0);
            good &= OWNERS.take(c >>> TABLE_SHIFT, actor);
            good &= OWNERS.release(b >>> TABLE_SHIFT, actor);
            CoreSteps.freeTable(ARENA, b);
            good &= OWNERS.release(c >>> TABLE_SHIFT, actor);
            CoreSteps.freeTable(ARENA, c);
            return good ? GOOD : BAD;
        }
    }
}
