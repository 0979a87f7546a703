package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.memory.FrameTable;
import mmutex.stress.litmus.support.CoreSteps;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(frame-publish)}: whoever gets a reference to a recycled frame finds its record cleared (R2, O10). */
@JCStressTest
@Description("A frame is handed out while somebody with a stale frame number tries to get a reference.")
@Outcome(id = "-1", expect = ACCEPTABLE, desc = "still free: no reference")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "a reference to the frame's new life")
@Outcome(expect = FORBIDDEN, desc = "a reference, but the record of the frame's former life: ORDER(frame-publish)")
@State
public class FramePublishStress {
    private static final FrameTable FRAMES = World.framesOfPlaces();
    private static final long FORMER = 7;

    private final long pfn = World.frame(Slab.next());

    public FramePublishStress() {
        dropReferences();
        FRAMES.clearBits(pfn, FrameTable.ALLOCATED);
        FRAMES.setBits(pfn, FrameTable.DIRTY);
        FRAMES.setMapping(pfn, FORMER, FORMER);
        FRAMES.setPrivateWord(pfn, FORMER);
    }

    @Actor
    public void allocator() {
        CoreSteps.prepare(FRAMES, pfn);
    }

    @Actor
    public void stale(final I_Result r) {
        if (FRAMES.tryGet(pfn)) {
            r.r1 = FRAMES.state(pfn) == FrameTable.ALLOCATED && FRAMES.mapping(pfn) == 0 && FRAMES.privateWord(pfn) == 0
                    ? 1
                    : 0;
        } else {
            r.r1 = -1;
        }
    }

    @Arbiter
    public void free() {
        dropReferences();
    }

    private void dropReferences() {
        while (FRAMES.refCount(pfn) > 0) {
            FRAMES.putTestZero(pfn);
        }
    }
}
