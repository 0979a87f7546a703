package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_LATE_STORE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import java.lang.invoke.VarHandle;
import mmutex.memory.Words;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Twins of {@code SrcuStress} and {@code SleepAnnounceStress}: who waits for whom. */
public final class WrongWait {
    private static final Words WORDS = Slab.words();

    private WrongWait() {}

    /** The section has begun, but not visibly so. */
    @JCStressTest
    @Twin(breaks = "srcu", shows = BY_LATE_STORE)
    @Description("A read section counts itself by a release store instead of a read-modify-write.")
    @Outcome(
            id = {"-1", "0"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "freed while the section used it")
    @State
    public static class CountWithoutFence {
        private final long count = Slab.offset(Slab.next());
        private final long unlinked = count + Slab.FAR;
        private final long freed = unlinked + Long.BYTES;

        @Actor
        public void reader(final I_Result r) {
            WORDS.storeRelease(count, 1);
            r.r1 = WORDS.loadOpaque(unlinked) != 0 ? -1 : (int) WORDS.loadOpaque(freed);
            WORDS.storeRelease(count, 0);
        }

        @Actor
        public void writer() {
            WORDS.storeOpaque(unlinked, 1);
            VarHandle.fullFence();
            while (WORDS.loadVolatile(count) != 0) { // ends with the section
                Thread.onSpinWait();
            }
            WORDS.storeOpaque(freed, 1);
        }
    }

    /** The sleeper has announced itself, but not visibly so, when it looks for the last time. */
    @JCStressTest
    @Twin(breaks = "sleep-announce", shows = BY_LATE_STORE)
    @Description("A waiter announces its sleep without a fence before its last look.")
    @Outcome(
            id = {"0, 1", "1, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0, 0", expect = ACCEPTABLE_INTERESTING, desc = "a lost wake-up")
    @State
    public static class AnnounceWithoutFence {
        private final long change = Slab.offset(Slab.next());
        private final long asleep = change + Slab.FAR;

        @Actor
        public void waiter(final II_Result r) {
            WORDS.storeRelease(asleep, 1);
            r.r1 = (int) WORDS.loadAcquire(change);
        }

        @Actor
        public void releaser(final II_Result r) {
            WORDS.storeOpaque(change, 1);
            VarHandle.fullFence();
            r.r2 = (int) WORDS.loadOpaque(asleep);
        }
    }
}
