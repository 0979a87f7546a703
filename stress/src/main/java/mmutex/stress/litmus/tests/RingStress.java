package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.Words;
import mmutex.notify.InvalidationRing;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * {@code ORDER(ring-publish)}, {@code ORDER(ring-acknowledge)}, {@code ORDER(ring-recycle)}, {@code ORDER(ring-serve)}:
 * one ring for all states, as a device has one for all its life.
 *
 * <p>The word that stands for a record's payload, and the one for what the callback did, are plain: nothing but the ring
 * orders them. A record's sequence number says which state it belongs to.
 */
public final class RingStress {
    private static final Words WORDS = Slab.words();
    private static final long PAYLOAD = Slab.NEAR;
    private static final long DONE = Slab.FAR;
    private static final long SEEN = Slab.FAR + Long.BYTES;

    private RingStress() {}

    /** A producer and the worker. */
    @JCStressTest
    @Description("A producer posts a record and waits; the worker takes it, runs the callback and acknowledges.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the callback saw the record, the producer what the callback did")
    @Outcome(id = "0, 1", expect = FORBIDDEN, desc = "the callback saw an unfinished record: ORDER(ring-publish)")
    @Outcome(id = "1, 0", expect = FORBIDDEN, desc = "acknowledged before it was done: ORDER(ring-acknowledge)")
    @Outcome(expect = FORBIDDEN, desc = "both: ORDER(ring-publish), ORDER(ring-acknowledge)")
    @State
    public static class Acknowledgement {
        private static final int CAPACITY = 2;
        private static final mmutex.sync.Actor PRODUCER = new mmutex.sync.Actor(1, "producer");
        private static final mmutex.sync.Actor WORKER = new mmutex.sync.Actor(2, "worker");
        private static final NotifierRange RANGE = new NotifierRange();
        private static final InvalidationRing RING =
                new InvalidationRing(CAPACITY, WORKER, (worker, subscription, range, sequence) -> {
                    final boolean whole = range.start() == sequence && range.event() == NotifierEvent.CLEAR;
                    WORDS.store(sequence + SEEN, whole ? WORDS.load(sequence + PAYLOAD) : 0);
                    WORDS.store(sequence + DONE, 1);
                    return true;
                });

        private final long place = Slab.offset(Slab.next());

        @Actor
        public void worker(final II_Result r) {
            while (WORDS.load(place + DONE) == 0) { // ends: the producer posts this state's record
                RING.serve();
            }
            r.r1 = (int) WORDS.load(place + SEEN);
        }

        @Actor
        public void producer(final II_Result r) {
            WORDS.store(place + PAYLOAD, 1);
            RING.deliver(PRODUCER, null, RANGE.init(NotifierEvent.CLEAR, place, place + 1), place);
            r.r2 = (int) WORDS.load(place + DONE);
        }
    }

    /** Two producers on a ring of one slot whose worker has gone: each waits for the slot, each serves what is there. */
    @JCStressTest
    @Description("Two producers on a closed ring of one slot: they take turns in posting and in serving.")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "the first was handled first")
    @Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "the second was handled first")
    @Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "both were handled before either looked")
    @Outcome(
            expect = FORBIDDEN,
            desc =
                    "a record was overwritten or handled twice: ORDER(ring-recycle); or two served at once: ORDER(ring-serve)")
    @State
    public static class TwoProducers {
        private static final mmutex.sync.Actor FIRST = new mmutex.sync.Actor(1, "first");
        private static final mmutex.sync.Actor SECOND = new mmutex.sync.Actor(2, "second");
        private static final NotifierRange FIRST_RANGE = new NotifierRange();
        private static final NotifierRange SECOND_RANGE = new NotifierRange();
        private static final InvalidationRing RING =
                new InvalidationRing(1, new mmutex.sync.Actor(3, "worker"), (server, subscription, range, sequence) -> {
                    WORDS.store(sequence, WORDS.load(sequence) + 1);
                    return true;
                });

        static {
            RING.close();
        }

        private final long place = Slab.offset(Slab.next());

        @Actor
        public void first(final II_Result r) {
            RING.deliver(FIRST, null, FIRST_RANGE.init(NotifierEvent.CLEAR, 0, 1), place);
            r.r1 = (int) WORDS.load(place);
        }

        @Actor
        public void second(final II_Result r) {
            RING.deliver(SECOND, null, SECOND_RANGE.init(NotifierEvent.UNMAP, 0, 1), place);
            r.r2 = (int) WORDS.load(place);
        }
    }
}
