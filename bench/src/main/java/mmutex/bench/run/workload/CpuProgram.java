package mmutex.bench.run.workload;

import mmutex.machine.Cpu;

/** What a CPU executes. Used by one thread. */
@FunctionalInterface
public interface CpuProgram {
    /** Performs one operation. Throws if an access ends in a signal that the workload has no use for. */
    void step(Cpu cpu);
}
