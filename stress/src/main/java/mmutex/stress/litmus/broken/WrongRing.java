package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
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

/** Twins of {@code RingStress}, on a ring of one slot. */
public final class WrongRing {
    private static final Words WORDS = Slab.words();
    private static final long TURN = Slab.NEAR;
    private static final long ACKNOWLEDGED = Slab.NEAR + 8;
    private static final long RECORD = Slab.FAR;
    private static final long DONE = Slab.FAR + 8;

    private WrongRing() {}

    /** The worker takes a record that is not complete. */
    @JCStressTest
    @Twin(breaks = "ring-publish", shows = BY_INTERLEAVING)
    @Description("Says that a slot is filled before the record is in it.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the callback saw an unfinished record")
    @State
    public static class TurnBeforeRecord {
        private final long place = Slab.offset(Slab.next());

        @Actor
        public void producer() {
            WORDS.storeRelease(place + TURN, 1);
            WORDS.store(place + RECORD, 1);
        }

        @Actor
        public void worker(final I_Result r) {
            r.r1 = WORDS.loadAcquire(place + TURN) == 0 ? -1 : (int) WORDS.load(place + RECORD);
        }
    }

    /** The producer goes on while the device still computes. */
    @JCStressTest
    @Twin(breaks = "ring-acknowledge", shows = BY_INTERLEAVING)
    @Description("Acknowledges a record before the callback is done.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "acknowledged before it was done")
    @State
    public static class AcknowledgementBeforeWork {
        private final long place = Slab.offset(Slab.next());

        @Actor
        public void worker() {
            WORDS.storeRelease(place + ACKNOWLEDGED, 1);
            WORDS.store(place + DONE, 1);
        }

        @Actor
        public void producer(final I_Result r) {
            r.r1 = WORDS.loadAcquire(place + ACKNOWLEDGED) == 0 ? -1 : (int) WORDS.load(place + DONE);
        }
    }

    /** The next producer's acknowledgement is there before this one has read his. */
    @JCStressTest
    @Twin(breaks = "ring-recycle", shows = BY_INTERLEAVING)
    @Description("A producer frees its slot before it has read the acknowledgement.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "as it should be")
    @Outcome(id = "2", expect = ACCEPTABLE_INTERESTING, desc = "took another record's acknowledgement for its own")
    @State
    public static class FreeBeforeRead {
        private final long place = Slab.offset(Slab.next());

        public FreeBeforeRead() {
            WORDS.storeOpaque(place + ACKNOWLEDGED, 1); // the first producer's record has been handled
        }

        @Actor
        public void first(final I_Result r) {
            WORDS.storeRelease(place + TURN, 1);
            r.r1 = (int) WORDS.loadAcquire(place + ACKNOWLEDGED);
        }

        @Actor
        public void nextProducerAndServer() {
            while (WORDS.loadAcquire(place + TURN) != 1) { // ends: the first producer frees the slot
                Thread.onSpinWait();
            }
            WORDS.storeRelease(place + ACKNOWLEDGED, 2);
        }
    }

    /** Two take the same record. */
    @JCStressTest
    @Twin(breaks = "ring-serve", shows = BY_INTERLEAVING)
    @Description("Two serve a closed ring without excluding each other.")
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1, 1", expect = ACCEPTABLE_INTERESTING, desc = "one record was handled twice")
    @State
    public static class TwoServers {
        private final long head = Slab.offset(Slab.next());

        @Actor
        public void first(final II_Result r) {
            r.r1 = serve();
        }

        @Actor
        public void second(final II_Result r) {
            r.r2 = serve();
        }

        /** Handles the record at position 0, if it is still there. */
        private int serve() {
            if (WORDS.loadAcquire(head) != 0) {
                return 0;
            }
            WORDS.storeRelease(head, 1);
            return 1;
        }
    }
}
