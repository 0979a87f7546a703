package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.TableArena;
import mmutex.stress.litmus.support.Slab;
import mmutex.sync.PteLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** {@code ORDER(pte-lock)}: one holder of a leaf table's lock at a time, and each sees what those before him did. */
@JCStressTest
@Description("Two actors read and write a plain field, each under a leaf table's lock.")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the fault held the table first")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the zap held the table first")
@Outcome(expect = FORBIDDEN, desc = "two holders at once, or one that saw nothing of the other: ORDER(pte-lock)")
@State
public class PteLockStress {
    private static final int TABLE_SHIFT = 6;
    private static final mmutex.sync.Actor FAULT = new mmutex.sync.Actor(1, "fault");
    private static final mmutex.sync.Actor ZAP = new mmutex.sync.Actor(2, "zap");
    private static final TableArena TABLES = new TableArena(TABLE_SHIFT, Slab.PLACES + 1L);
    private static final long[] SLOTS = new long[Slab.PLACES];
    private static final PteLock LOCK = new PteLock(TABLES);

    static {
        for (int place = 0; place < Slab.PLACES; place++) {
            SLOTS[place] = TABLES.allocate(0);
        }
    }

    private final long slot = SLOTS[Slab.next()];
    private int value;

    @Actor
    public void fault(final II_Result r) {
        LOCK.lock(FAULT, slot);
        r.r1 = value++;
        LOCK.unlock(FAULT, slot);
    }

    @Actor
    public void zap(final II_Result r) {
        LOCK.lock(ZAP, slot);
        r.r2 = value++;
        LOCK.unlock(ZAP, slot);
    }
}
