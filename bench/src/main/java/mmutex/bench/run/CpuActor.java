package mmutex.bench.run;

import mmutex.bench.run.workload.CpuProgram;
import mmutex.bench.run.workload.Scene;
import mmutex.machine.Cpu;
import mmutex.sync.PhaseProbe;
import mmutex.sync.PhaseProbe.Path;
import org.HdrHistogram.Histogram;

/** A CPU and its program. */
final class CpuActor extends ActorThread {
    /** Operations between two looks at the clock. */
    static final int BATCH = 64;

    private final Cpu cpu;
    private final Scene scene;
    private final long operationsMax;
    private final Quantum quantum;
    private final PhaseProbe probe;
    private final PathRecorder restores = new PathRecorder(Path.RESTORE);
    private final Histogram hits = PathRecorder.newHistogram();
    private CpuProgram program;

    CpuActor(
            final Cpu cpu,
            final Scene scene,
            final long operationsMax,
            final long quantumNs,
            final Timing timing,
            final StopSignal stop,
            final StartingLine line) {
        super(cpu.name(), stop, line);
        this.cpu = cpu;
        this.scene = scene;
        this.operationsMax = operationsMax;
        this.quantum = new Quantum(quantumNs);
        this.probe = timing.probe(restores);
    }

    @Override
    protected void prepare() {
        program = scene.cpuProgram(cpu.number());
        cpu.probe(probe);
    }

    @Override
    protected void work() {
        long operations = 0;
        long before = System.nanoTime();
        long faultsBefore = cpu.faults();
        while (operations < operationsMax && !stop().isSet()) {
            final int batch = (int) Math.min(BATCH, operationsMax - operations);
            for (int i = 0; i < batch; i++) {
                program.step(cpu);
            }
            operations += batch;
            progress().operations(operations);
            final long now = System.nanoTime();
            final long faults = cpu.faults();
            if (faults == faultsBefore && batch == BATCH) {
                hits.recordValue(Math.min(now - before, PathRecorder.NS_MAX));
            }
            before = quantum.spend(now) ? System.nanoTime() : now;
            faultsBefore = faults;
        }
    }

    PathRecorder restores() {
        return restores;
    }

    /** Durations of {@value #BATCH} operations in which no access faulted. */
    Histogram hits() {
        return hits;
    }

    /** Once it has ended. */
    RunResult.Actor result() {
        return RunResult.Actor.cpu(name(), progress().operations(), cpu.faults(), restores.count());
    }

    Cpu cpu() {
        return cpu;
    }
}
