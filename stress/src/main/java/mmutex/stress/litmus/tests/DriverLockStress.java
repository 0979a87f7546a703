package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.notify.IntervalSubscription;
import mmutex.sync.DriverLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** {@code ORDER(driver-lock)}: what an invalidation did under the lock is visible to the driver under the lock (O5). */
public final class DriverLockStress {
    private static final mmutex.sync.Actor DRIVER = new mmutex.sync.Actor(1, "driver");
    private static final mmutex.sync.Actor CALLBACK = new mmutex.sync.Actor(2, "callback");

    private DriverLockStress() {}

    /** The lock alone. */
    @JCStressTest
    @Description("Two actors read and write a plain field, each under the driver lock.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the driver held it first")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the callback held it first")
    @Outcome(expect = FORBIDDEN, desc = "two holders at once, or one that saw nothing of the other: ORDER(driver-lock)")
    @State
    public static class Exclusion {
        private final DriverLock lock = new DriverLock(1);
        private int value;

        @Actor
        public void driver(final II_Result r) {
            lock.lock(DRIVER);
            r.r1 = value++;
            lock.unlock(DRIVER);
        }

        @Actor
        public void callback(final II_Result r) {
            lock.lock(CALLBACK);
            r.r2 = value++;
            lock.unlock(CALLBACK);
        }
    }

    /** The sequence of a subscription is an opaque word; the lock orders it. */
    @JCStressTest
    @Description(
            "A driver programs its table unless its subscription was hit; a callback hits it and erases the table.")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "programmed first, then erased")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "hit first: the driver starts over")
    @Outcome(expect = FORBIDDEN, desc = "programmed after the hit: a stale mapping stays. ORDER(driver-lock)")
    @State
    public static class RetryAgainstHit {
        private static final long SAMPLE = 2;
        private static final long HIT = 3;

        private final DriverLock lock = new DriverLock(1);
        private final IntervalSubscription subscription = new IntervalSubscription((actor, s, range, sequence) -> true);
        private int mapped;

        public RetryAgainstHit() {
            subscription.setSeq(SAMPLE);
        }

        @Actor
        public void driver(final II_Result r) {
            lock.lock(DRIVER);
            if (subscription.readRetry(SAMPLE)) {
                r.r1 = 1;
            } else {
                mapped = 1;
            }
            lock.unlock(DRIVER);
        }

        @Actor
        public void callback() {
            lock.lock(CALLBACK);
            subscription.setSeq(HIT);
            mapped = 0;
            lock.unlock(CALLBACK);
        }

        @Arbiter
        public void left(final II_Result r) {
            r.r2 = mapped;
        }
    }
}
