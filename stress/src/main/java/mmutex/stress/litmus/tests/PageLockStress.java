package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.FrameTable;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import mmutex.sync.PageLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** {@code ORDER(page-lock)}: one holder at a time, and each sees what those before him did. */
public final class PageLockStress {
    private static final mmutex.sync.Actor CPU = new mmutex.sync.Actor(1, "cpu");
    private static final mmutex.sync.Actor MAKER = new mmutex.sync.Actor(2, "maker");
    private static final FrameTable FRAMES = World.framesOfPlaces();
    private static final PageLock LOCK = new PageLock(FRAMES);

    private PageLockStress() {}

    /** Two that wait for the lock. */
    @JCStressTest
    @Description("Two actors read and write a plain field, each under the page lock.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the CPU held the page first")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the maker held the page first")
    @Outcome(expect = FORBIDDEN, desc = "two holders at once, or one that saw nothing of the other: ORDER(page-lock)")
    @State
    public static class Exclusion {
        private final long pfn = World.frame(Slab.next());
        private int value;

        @Actor
        public void cpu(final II_Result r) {
            LOCK.lock(CPU, pfn);
            r.r1 = value++;
            LOCK.unlock(CPU, pfn);
        }

        @Actor
        public void maker(final II_Result r) {
            LOCK.lockKillable(MAKER, pfn);
            r.r2 = value++;
            LOCK.unlock(MAKER, pfn);
        }
    }

    /** The hand-over after a make: the page was locked on the maker's behalf, a fault tries, then waits without locking. */
    @JCStressTest
    @Description("A maker converts a page that it got locked, and unlocks it; a fault tries the lock, or waits for it.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the fault got the lock at once, after the conversion")
    @Outcome(
            id = "-1, 1",
            expect = ACCEPTABLE,
            desc = "the fault came too early and waited until the page was unlocked")
    @Outcome(expect = FORBIDDEN, desc = "the lock was free, but the conversion not to be seen: ORDER(page-lock)")
    @State
    public static class HandOver {
        private final long pfn = World.frame(Slab.next());
        private int converted;

        public HandOver() {
            LOCK.tryLock(World.task(), pfn);
        }

        @Actor
        public void maker() {
            converted = 1;
            LOCK.unlock(MAKER, pfn);
        }

        @Actor
        public void fault(final II_Result r) {
            if (LOCK.tryLock(CPU, pfn)) {
                r.r1 = converted;
                r.r2 = converted;
                LOCK.unlock(CPU, pfn);
            } else {
                r.r1 = -1;
                LOCK.waitUnlocked(CPU, pfn, true);
                r.r2 = converted;
            }
        }
    }
}
