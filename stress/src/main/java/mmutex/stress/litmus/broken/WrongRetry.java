package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import mmutex.memory.Words;
import mmutex.notify.IntervalCallback;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierState;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import mmutex.sync.DriverLock;
import mmutex.sync.SrcuDomain;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Twins of {@code ReadRetryStress}, {@code DriverLockStress} and {@code NotifierPublishStress}: core's own notifiers and
 * driver lock, used wrongly. In each, the wrong outcome is a device that keeps the old entry.
 */
public final class WrongRetry {
    private static final long PAGE_SIZE = 0x1000;
    private static final long OLD = 1;
    private static final long NEW = 2;
    private static final SrcuDomain SRCU = new SrcuDomain();
    private static final Words WORDS = Slab.words();
    private static final mmutex.sync.Actor DRIVER = new mmutex.sync.Actor(1, "driver");
    private static final mmutex.sync.Actor CHANGER = new mmutex.sync.Actor(2, "changer");

    private WrongRetry() {}

    /** The scene that the twins share: one entry, one subscription, one word that stands for the device's table. */
    abstract static class Scene {
        final long entry = Slab.offset(Slab.next());
        final NotifierState notifiers = new NotifierState(SRCU);
        final DriverLock lock = new DriverLock(1);
        final NotifierRange range = new NotifierRange();
        final IntervalSubscription subscription = new IntervalSubscription(callback());
        long mapped;

        Scene() {
            WORDS.storeRelease(entry, OLD);
            range.init(NotifierEvent.CLEAR, 0, PAGE_SIZE);
            notifiers.publish(true);
            notifiers.insert(World.task(), subscription, 0, PAGE_SIZE - 1);
        }

        IntervalCallback callback() {
            return (actor, hit, r, sequence) -> {
                lock.lock(actor);
                hit.setSeq(sequence);
                mapped = 0;
                lock.unlock(actor);
                return true;
            };
        }

        void change() {
            notifiers.start(CHANGER, range);
            WORDS.storeRelease(entry, NEW);
            notifiers.end(CHANGER, range);
        }
    }

    /** What the driver read may be history. */
    @JCStressTest
    @Twin(breaks = "hmm-lockless-read", shows = BY_INTERLEAVING)
    @Description("A driver programs what it read, without asking whether it collided.")
    @Outcome(
            id = {"0", "2"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "the device keeps the old entry")
    @State
    public static class NoRetry extends Scene {
        @Actor
        public void driver() {
            subscription.readBegin(DRIVER);
            final long seen = WORDS.loadAcquire(entry);
            lock.lock(DRIVER);
            mapped = seen;
            lock.unlock(DRIVER);
        }

        @Actor
        public void changer() {
            change();
        }

        @Arbiter
        public void left(final I_Result r) {
            r.r1 = (int) mapped;
        }
    }

    /** Between the question and the lock, the answer changes. */
    @JCStressTest
    @Twin(breaks = "driver-lock", shows = BY_INTERLEAVING)
    @Description("A driver asks whether it collided before it takes its lock.")
    @Outcome(
            id = {"0", "2"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "the device keeps the old entry")
    @State
    public static class RetryOutsideLock extends Scene {
        @Actor
        public void driver() {
            final long sample = subscription.readBegin(DRIVER);
            final long seen = WORDS.loadAcquire(entry);
            if (!subscription.readRetry(sample)) {
                lock.lock(DRIVER);
                mapped = seen;
                lock.unlock(DRIVER);
            }
        }

        @Actor
        public void changer() {
            change();
        }

        @Arbiter
        public void left(final I_Result r) {
            r.r1 = (int) mapped;
        }
    }

    /** The driver can't notice. */
    @JCStressTest
    @Twin(breaks = "hmm-lockless-read", shows = BY_INTERLEAVING)
    @Description("A callback erases the table, but does not move the subscription's sequence.")
    @Outcome(
            id = {"0", "2"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "the device keeps the old entry")
    @State
    public static class CallbackWithoutSequence extends Scene {
        @Override
        IntervalCallback callback() {
            return (actor, hit, r, sequence) -> {
                lock.lock(actor);
                mapped = 0;
                lock.unlock(actor);
                return true;
            };
        }

        @Actor
        public void driver() {
            final long sample = subscription.readBegin(DRIVER);
            final long seen = WORDS.loadAcquire(entry);
            lock.lock(DRIVER);
            if (!subscription.readRetry(sample)) {
                mapped = seen;
            }
            lock.unlock(DRIVER);
        }

        @Actor
        public void changer() {
            change();
        }

        @Arbiter
        public void left(final I_Result r) {
            r.r1 = (int) mapped;
        }
    }

    /** A sample taken while the change runs says nothing. */
    @JCStressTest
    @Twin(breaks = "hmm-lockless-read", shows = BY_INTERLEAVING)
    @Description("A driver takes the sequence as it is, without waiting for a running invalidation.")
    @Outcome(
            id = {"0", "2"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "the device keeps the old entry")
    @State
    public static class SampleWithoutWaiting extends Scene {
        @Actor
        public void driver() {
            final long sample = subscription.seq();
            final long seen = WORDS.loadAcquire(entry);
            lock.lock(DRIVER);
            if (!subscription.readRetry(sample)) {
                mapped = seen;
            }
            lock.unlock(DRIVER);
        }

        @Actor
        public void changer() {
            change();
        }

        @Arbiter
        public void left(final I_Result r) {
            r.r1 = (int) mapped;
        }
    }

    /** A span that starts before anybody listens and ends after. */
    @JCStressTest
    @Twin(breaks = "notifier-publish", shows = BY_INTERLEAVING)
    @Description("The first subscriber is published without excluding the spans that run.")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "as it should be")
    @Outcome(id = "-1, 0", expect = ACCEPTABLE_INTERESTING, desc = "an end without its start")
    @State
    public static class PublishDuringSpan {
        private final NotifierState notifiers = new NotifierState(SRCU);
        private final NotifierRange range = new NotifierRange().init(NotifierEvent.CLEAR, 0, PAGE_SIZE);

        @Actor
        public void changer(final II_Result r) {
            try {
                notifiers.start(CHANGER, range);
                notifiers.end(CHANGER, range);
            } catch (final IllegalStateException endWithoutStart) {
                r.r1 = -1;
            }
        }

        @Actor
        public void driver() {
            notifiers.publish(true);
        }

        @Arbiter
        public void spansLeft(final II_Result r) {
            r.r2 = (int) notifiers.snapshot(World.task()).activeSpans();
        }
    }
}
