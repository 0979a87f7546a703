package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.VarHandle;
import mmutex.memory.Words;
import mmutex.stress.litmus.support.CoreSteps;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * {@code ORDER(sleep-announce)}: either the sleeper's last look sees the change, or the waker sees that somebody sleeps.
 *
 * <p>The waker's side is written out here, fence and look, because the real one ({@code Actor.wake}) does not tell what it
 * saw.
 */
@JCStressTest
@Description(
        "A waiter announces that it will sleep and looks once more; a releaser stores the change and looks for sleepers.")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the waiter saw nothing, but is woken")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the waiter saw the change and doesn't sleep")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "both saw each other")
@Outcome(expect = FORBIDDEN, desc = "a lost wake-up: ORDER(sleep-announce)")
@State
public class SleepAnnounceStress {
    private static final Words WORDS = Slab.words();

    private final long change = Slab.offset(Slab.next());
    private final mmutex.sync.Actor sleeper = new mmutex.sync.Actor(1, "sleeper");

    @Actor
    public void waiter(final II_Result r) {
        CoreSteps.announceSleep(sleeper);
        r.r1 = (int) WORDS.loadOpaque(change);
    }

    @Actor
    public void releaser(final II_Result r) {
        WORDS.storeOpaque(change, 1);
        VarHandle.fullFence();
        r.r2 = CoreSteps.isAsleep(sleeper) ? 1 : 0;
    }

    /** {@code WaitQueue.wakeIfAnyAfterUpdate}: the change itself is the waker's fence, if his look is volatile. */
    @JCStressTest
    @Description("A waiter announces that it will sleep and looks once more; a releaser updates a count and looks.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the waker saw nothing, but is woken")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the waiter saw the change and doesn't sleep")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "both saw each other")
    @Outcome(expect = FORBIDDEN, desc = "a lost wake-up: ORDER(sleep-announce)")
    @State
    public static class BehindAnUpdate {
        private final long count = Slab.offset(Slab.next());
        private final long waiters = count + Slab.FAR;

        @Actor
        public void waiter(final II_Result r) {
            WORDS.storeOpaque(waiters, 1);
            VarHandle.fullFence();
            r.r1 = (int) WORDS.loadVolatile(count);
        }

        @Actor
        public void releaser(final II_Result r) {
            WORDS.getAndAdd(count, 1);
            r.r2 = (int) WORDS.loadVolatile(waiters);
        }
    }
}
