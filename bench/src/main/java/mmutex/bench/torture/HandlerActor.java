package mmutex.bench.torture;

import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import mmutex.bench.run.ActorThread;
import mmutex.bench.run.StartingLine;
import mmutex.bench.run.StopSignal;
import mmutex.bench.torture.world.Nursery;
import mmutex.mm.Task;

/** The thread that resolves user faults: others wait for it in the middle of an access. */
final class HandlerActor extends ActorThread {
    private static final long NAP_NS = 20_000;

    private final Nursery nursery;
    private final Task task;
    private final SplittableRandom dice;
    private final Gate gate;
    private long handled;

    HandlerActor(
            final Nursery nursery,
            final Task task,
            final SplittableRandom dice,
            final Gate gate,
            final StopSignal stop,
            final StartingLine line) {
        super(task.name(), stop, line);
        this.nursery = nursery;
        this.task = task;
        this.dice = dice;
        this.gate = gate;
    }

    @Override
    protected void prepare() {}

    /** Parked between two faults, it goes on serving those who are still on their way to the gate. */
    @Override
    protected void work() {
        gate.park();
        for (long looks = 1; !(stop().isSet() && gate.isDeserted()); looks++) {
            gate.unpark(); // before the look: a fault may be its own from then on
            final boolean any = nursery.handle(task, dice);
            gate.park();
            handled += any ? 1 : 0;
            progress().operations(looks);
            if (!any) {
                LockSupport.parkNanos(NAP_NS);
            }
        }
    }

    /** Faults resolved, or woken for nothing. */
    long handled() {
        return handled;
    }
}
