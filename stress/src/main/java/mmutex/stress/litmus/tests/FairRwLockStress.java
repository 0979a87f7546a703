package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.stress.litmus.support.World;
import mmutex.sync.FairRwLock;
import mmutex.sync.LockClass;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(rw-lock)}: writers alone, readers together, each sees what the writers before him did. */
public final class FairRwLockStress {
    private static final mmutex.sync.Actor FIRST = new mmutex.sync.Actor(1, "first");
    private static final mmutex.sync.Actor SECOND = new mmutex.sync.Actor(2, "second");

    private FairRwLockStress() {}

    /** Two writers. */
    @JCStressTest
    @Description("Two actors read and write a plain field, each with the lock held exclusively.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the first actor held it first")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the second actor held it first")
    @Outcome(expect = FORBIDDEN, desc = "two writers at once, or one that saw nothing of the other: ORDER(rw-lock)")
    @State
    public static class TwoWriters {
        private final FairRwLock lock = new FairRwLock(LockClass.MM);
        private int value;

        @Actor
        public void first(final II_Result r) {
            lock.writeLock(FIRST);
            r.r1 = value++;
            lock.writeUnlock(FIRST);
        }

        @Actor
        public void second(final II_Result r) {
            lock.writeLock(SECOND);
            r.r2 = value++;
            lock.writeUnlock(SECOND);
        }
    }

    /** A reader and a writer. */
    @JCStressTest
    @Description("A writer changes two plain fields; a reader reads both.")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the reader came first")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the writer came first")
    @Outcome(expect = FORBIDDEN, desc = "the reader was let in while the writer wrote: ORDER(rw-lock)")
    @State
    public static class ReaderAndWriter {
        private final FairRwLock lock = new FairRwLock(LockClass.MM);
        private int first;
        private int second;

        @Actor
        public void reader(final II_Result r) {
            lock.readLock(FIRST);
            r.r1 = first;
            Thread.onSpinWait(); // gives the writer time to be wrong
            r.r2 = second;
            lock.readUnlock(FIRST);
        }

        @Actor
        public void writer() {
            lock.writeLock(SECOND);
            first = 1;
            second = 1;
            lock.writeUnlock(SECOND);
        }
    }

    /** A reader who is there from the beginning makes the writer queue: it gets the lock by grant. */
    @JCStressTest
    @Description("A reader leaves while a writer waits for him.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the writer came after the reader and sees what he did")
    @Outcome(expect = FORBIDDEN, desc = "the writer did not wait, or saw nothing of the reader: ORDER(rw-lock)")
    @State
    public static class Grant {
        private final FairRwLock lock = new FairRwLock(LockClass.MM);
        private int value;

        public Grant() {
            lock.readLock(World.task());
        }

        @Actor
        public void reader() {
            value = 1;
            lock.readUnlock(FIRST);
        }

        @Actor
        public void writer(final I_Result r) {
            lock.writeLock(SECOND);
            r.r1 = value;
            lock.writeUnlock(SECOND);
        }
    }
}
