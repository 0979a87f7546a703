package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static mmutex.stress.litmus.broken.Twin.Shows.BY_WEAK_ORDER;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import mmutex.memory.Words;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Twins of the locks' tests. The locks are alike in this: a word that is taken by a read-modify-write and given back with
 * a release. So one copy stands for the page lock, the leaf-table lock, the driver lock and the spin lock.
 */
public final class WrongLock {
    private static final Words WORDS = Slab.words();

    private WrongLock() {}

    /** Two can find it free. */
    @JCStressTest
    @Twin(
            breaks = {"page-lock", "pte-lock", "driver-lock", "spin-lock"},
            shows = BY_INTERLEAVING)
    @Description("Takes a lock by a look and a store instead of one read-modify-write.")
    @Outcome(
            id = {"0, 1", "1, 0"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0, 0", expect = ACCEPTABLE_INTERESTING, desc = "two holders at once")
    @State
    public static class LookThenTake {
        private final long lock = Slab.offset(Slab.next());
        private int value;

        @Actor
        public void first(final II_Result r) {
            lock();
            r.r1 = value++;
            WORDS.storeRelease(lock, 0);
        }

        @Actor
        public void second(final II_Result r) {
            lock();
            r.r2 = value++;
            WORDS.storeRelease(lock, 0);
        }

        private void lock() {
            while (WORDS.loadAcquire(lock) != 0) { // ends with the holder's release
                Thread.onSpinWait();
            }
            WORDS.storeVolatile(lock, 1);
        }
    }

    /** The next holder comes in before the last one is done. */
    @JCStressTest
    @Twin(
            breaks = {"page-lock", "pte-lock", "driver-lock", "spin-lock"},
            shows = BY_INTERLEAVING)
    @Description("Releases a lock before the last store of the section.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the next holder does not see what the last one did")
    @State
    public static class ReleaseBeforeLastStore {
        private final long lock = Slab.offset(Slab.next());
        private final long converted = lock + Slab.FAR;

        public ReleaseBeforeLastStore() {
            WORDS.storeOpaque(lock, 1);
        }

        @Actor
        public void maker() {
            WORDS.storeRelease(lock, 0);
            WORDS.storeOpaque(converted, 1);
        }

        @Actor
        public void fault(final I_Result r) {
            while (!WORDS.compareAndSet(lock, 0, 1)) { // ends with the maker's release
                Thread.onSpinWait();
            }
            r.r1 = (int) WORDS.loadOpaque(converted);
        }
    }

    /** The release may pass the stores before it. */
    @JCStressTest
    @Twin(
            breaks = {"page-lock", "pte-lock", "driver-lock", "spin-lock"},
            shows = BY_WEAK_ORDER)
    @Description("Gives a lock back by an opaque store instead of a release.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the next holder does not see what the last one did")
    @State
    public static class UnlockWithoutRelease {
        private final long lock = Slab.offset(Slab.next());
        private final long converted = lock + Slab.FAR;

        public UnlockWithoutRelease() {
            WORDS.storeOpaque(lock, 1);
        }

        @Actor
        public void maker() {
            WORDS.storeOpaque(converted, 1);
            WORDS.storeOpaque(lock, 0);
        }

        @Actor
        public void fault(final I_Result r) {
            while (!WORDS.compareAndSet(lock, 0, 1)) { // ends with the maker's release
                Thread.onSpinWait();
            }
            r.r1 = (int) WORDS.loadOpaque(converted);
        }
    }

    /** A reader comes in between the writer's look and his store, which wipes the reader out. */
    @JCStressTest
    @Twin(breaks = "rw-lock", shows = BY_INTERLEAVING)
    @Description("A writer takes a readers-writer lock by a look and a store instead of a compare-and-set.")
    @Outcome(
            id = {"0, 0", "1, 1", "-1, -1"},
            expect = ACCEPTABLE,
            desc = "as it should be, or the reader was refused")
    @Outcome(
            id = {"0, 1", "1, 0"},
            expect = ACCEPTABLE_INTERESTING,
            desc = "the reader was in while the writer wrote")
    @State
    public static class WriterLooksThenTakes {
        private static final long WRITER = 1;
        private static final long READER = 4;

        private final long state = Slab.offset(Slab.next());
        private final long first = state + Slab.FAR;
        private final long second = first + Long.BYTES;

        @Actor
        public void reader(final II_Result r) {
            if (WORDS.compareAndSet(state, 0, READER)) {
                r.r1 = (int) WORDS.loadOpaque(first);
                Thread.onSpinWait(); // gives the writer time to be wrong
                r.r2 = (int) WORDS.loadOpaque(second);
                WORDS.getAndAdd(state, -READER);
            } else {
                r.r1 = -1;
                r.r2 = -1;
            }
        }

        @Actor
        public void writer() {
            while (WORDS.loadAcquire(state) != 0) { // ends with the reader's release
                Thread.onSpinWait();
            }
            WORDS.storeVolatile(state, WRITER);
            WORDS.storeOpaque(first, 1);
            WORDS.storeOpaque(second, 1);
            WORDS.getAndAdd(state, -WRITER);
        }
    }
}
