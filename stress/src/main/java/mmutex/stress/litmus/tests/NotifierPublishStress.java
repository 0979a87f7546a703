package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.change.SpaceTeardown;
import mmutex.mm.AddressSpace;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** {@code ORDER(notifier-publish)}: the first subscriber appears to both ends of a span, or to none (O8). */
@JCStressTest
@Description("A span under the mmap lock while the address space gets its first subscriber.")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the span came first and told nobody")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the subscriber came first and was told")
@Outcome(
        expect = FORBIDDEN,
        desc = "one end of the span was counted, the other not; or an uninitialised state: ORDER(notifier-publish)")
@State
public class NotifierPublishStress {
    private static final mmutex.sync.Actor CHANGER = new mmutex.sync.Actor(1, "changer");
    private static final mmutex.sync.Actor DRIVER = new mmutex.sync.Actor(2, "driver");
    private static final long START = 0x1000;
    private static final long LENGTH = 0x1000;

    private final AddressSpace space = new AddressSpace(1, World.PLATFORM);
    private final NotifierRange range = new NotifierRange();
    private final IntervalSubscription subscription = new IntervalSubscription((actor, hit, r, sequence) -> {
        hit.setSeq(sequence);
        told = 1;
        return true;
    });
    private int told;

    @Actor
    public void changer(final II_Result r) {
        range.init(NotifierEvent.CLEAR, START, START + LENGTH);
        space.mmapLock().readLock(CHANGER);
        try {
            space.notifiers().start(CHANGER, range);
            space.notifiers().end(CHANGER, range);
            r.r1 = told;
        } catch (final IllegalStateException endWithoutStart) {
            r.r1 = -1;
        }
        space.mmapLock().readUnlock(CHANGER);
    }

    @Actor
    public void driver() {
        space.insert(DRIVER, subscription, START, LENGTH);
    }

    @Arbiter
    public void spansLeft(final II_Result r) {
        r.r2 = (int) space.notifiers().snapshot(World.task()).activeSpans();
        if (r.r2 == 0) { // else the removal would wait for ever
            space.notifiers().remove(World.task(), subscription);
        }
        SpaceTeardown.unpin(World.task(), space);
    }
}
