package mmutex.bench.run.workload;

import java.util.List;
import mmutex.machine.Cpu;

/**
 * A workload in one run: its programs, one per actor, and the oracle that judges what they left in memory.
 *
 * <p>Threads: each program is made and used by its actor's own thread, so that its state lies apart from that of others;
 * {@link #disturbances} and {@link #verdict} are called by the thread that sets up, before all and after all of them.
 */
public interface Scene {
    /** The program of a CPU, by number from 0. */
    CpuProgram cpuProgram(int cpu);

    /** The program of a device's lane, both by number from 0. All lanes of a device are run by one thread. */
    DeviceProgram deviceProgram(int device, int lane);

    /** Others who get in the way. */
    default List<Disturbance> disturbances() {
        return List.of();
    }

    /**
     * Compares what was done with what is there.
     *
     * @param cpu runs the process; nobody else works any more
     */
    Verdict verdict(Cpu cpu);
}
