package mmutex.bench.run;

import java.util.concurrent.locks.LockSupport;
import mmutex.bench.run.workload.Disturbance;
import mmutex.mm.Task;

/** Somebody who gets in the way, a few thousand times a second at most. */
final class DisturbanceActor extends ActorThread {
    /** Without pauses a disturber would hold the mmap lock most of the time, and be the workload. */
    private static final long PAUSE_NS = 100_000;

    private final Disturbance disturbance;
    private final Task task;

    DisturbanceActor(final Disturbance disturbance, final Task task, final StopSignal stop, final StartingLine line) {
        super(disturbance.name(), stop, line);
        this.disturbance = disturbance;
        this.task = task;
    }

    @Override
    protected void prepare() {}

    @Override
    protected void work() {
        long operations = 0;
        while (!stop().isSet()) {
            disturbance.step(task);
            progress().operations(++operations);
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    Disturbance disturbance() {
        return disturbance;
    }
}
