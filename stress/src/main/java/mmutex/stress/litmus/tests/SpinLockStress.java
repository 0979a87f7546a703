package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** {@code ORDER(spin-lock)}: one holder at a time, and each sees what those before him did. */
@JCStressTest
@Description("Two actors read and write a plain field, each under a spin lock.")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the first actor held it first")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the second actor held it first")
@Outcome(expect = FORBIDDEN, desc = "two holders at once, or one that saw nothing of the other: ORDER(spin-lock)")
@State
public class SpinLockStress {
    private static final mmutex.sync.Actor FIRST = new mmutex.sync.Actor(1, "first");
    private static final mmutex.sync.Actor SECOND = new mmutex.sync.Actor(2, "second");

    private final SpinLock lock = new SpinLock(LockClass.SQ);
    private int value;

    @Actor
    public void first(final II_Result r) {
        lock.lock(FIRST);
        r.r1 = value++;
        lock.unlock(FIRST);
    }

    @Actor
    public void second(final II_Result r) {
        lock.lock(SECOND);
        r.r2 = value++;
        lock.unlock(SECOND);
    }
}
