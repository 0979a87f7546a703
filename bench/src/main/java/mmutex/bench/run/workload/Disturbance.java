package mmutex.bench.run.workload;

import java.util.Map;
import mmutex.mm.Task;

/** Somebody who changes the same address space meanwhile. Used by one thread. */
public interface Disturbance {
    /** Of the actor, for people. */
    String name();

    /** Does it once. Throws if it fails in a way that the workload does not expect. */
    void step(Task task);

    /** What it has done, and how often; read once its thread has ended. */
    Map<String, Long> tally();
}
