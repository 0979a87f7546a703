package mmutex.bench.run;

import mmutex.bench.run.workload.DeviceProgram;
import mmutex.bench.run.workload.Scene;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceWorker;
import mmutex.device.LaneProgram;
import mmutex.device.SvmDevice;
import mmutex.sync.PhaseProbe;
import mmutex.sync.PhaseProbe.Path;

/** A device: its lanes' programs, executed by its worker. */
final class DeviceActor extends ActorThread {
    private final SvmDevice device;
    private final int number;
    private final Scene scene;
    private final long operationsMax;
    private final Quantum quantum;
    private final PhaseProbe probe;
    private final PathRecorder makes = new PathRecorder(Path.MAKE);
    private final Starvation starvation = new Starvation();
    private Starvation.Figures waits = Starvation.Figures.NONE;
    private long operations;
    private int steps;

    DeviceActor(
            final SvmDevice device,
            final int number,
            final Scene scene,
            final long operationsMax,
            final long quantumNs,
            final Timing timing,
            final StopSignal stop,
            final StartingLine line) {
        super(device.worker().name(), stop, line);
        this.device = device;
        this.number = number;
        this.scene = scene;
        this.operationsMax = operationsMax;
        this.quantum = new Quantum(quantumNs);
        this.probe = timing.probe(makes);
    }

    @Override
    protected void prepare() {
        for (final DeviceLane lane : device.lanes()) {
            lane.start(bounded(scene.deviceProgram(number, lane.id())));
        }
        device.worker().probe(probe);
    }

    /** Ends the program between two operations: when the run is stopped, or after so many. */
    private LaneProgram bounded(final DeviceProgram program) {
        return new LaneProgram() {
            private long left = operationsMax;

            @Override
            public boolean step(final DeviceLane lane) {
                final boolean complete = program.step(lane);
                starvation.stepped(complete);
                tick();
                if (!complete) {
                    return true;
                }
                operations++;
                return --left > 0 && !stop().isSet();
            }
        };
    }

    private void tick() {
        if (++steps % CpuActor.BATCH == 0) {
            progress().operations(operations);
            quantum.spend(System.nanoTime());
        }
    }

    @Override
    protected void work() {
        final DeviceWorker worker = device.worker();
        try {
            while (!worker.isFinished()) {
                if (!worker.work()) {
                    worker.idle();
                }
            }
            progress().operations(operations);
            waits = starvation.figures(System.nanoTime());
        } finally {
            worker.stop();
        }
    }

    PathRecorder makes() {
        return makes;
    }

    /** Once it has ended. */
    RunResult.Actor result() {
        return new RunResult.Actor(
                name(),
                false,
                progress().operations(),
                device.driver().faultsResolved(),
                makes.count(),
                device.driver().retries(),
                waits);
    }

    SvmDevice device() {
        return device;
    }

    /** Lanes whose fault the driver gave up on. */
    long cancelledLanes() {
        return device.lanes().stream().filter(DeviceLane::isCancelled).count();
    }

    /** Throws an {@link ActorFailure} if the driver gave up on a fault: the oracle would judge half a program. */
    void requireNoCancelledLane() {
        final long cancelled = cancelledLanes();
        if (cancelled != 0) {
            throw new ActorFailure(
                    name(),
                    new IllegalStateException("the driver could not resolve faults within its time: lanes cancelled="
                            + cancelled + ", retries=" + device.driver().retries()));
        }
    }
}
