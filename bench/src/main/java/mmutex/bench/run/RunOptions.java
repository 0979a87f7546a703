package mmutex.bench.run;

import mmutex.bench.run.workload.Workload;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;

/**
 * What is run; checked.
 *
 * @param workload what the actors do
 * @param cpus CPUs, 0 to {@value #CPUS_MAX}
 * @param devices devices, 0 to {@value #DEVICES_MAX}
 * @param lanes lanes of each device, 1 to {@value #LANES_MAX}
 * @param pages as the workload counts them, 1 to {@value #PAGES_MAX}
 * @param seconds when it ends
 * @param seed decides which counters an actor visits in which order
 * @param profile kernel behaviour
 * @param delivery how notifications reach devices
 * @param protocol by which generation of notifiers drivers follow changes of memory
 * @param phases whether paths are taken apart, with an account of what the time stamps cost
 * @param operationsMax operations of each CPU and each lane after which it ends; tests don't wait for time to pass
 */
record RunOptions(
        Workload workload,
        int cpus,
        int devices,
        int lanes,
        int pages,
        double seconds,
        long seed,
        SemanticProfile profile,
        Delivery delivery,
        Protocol protocol,
        boolean phases,
        long operationsMax) {
    static final int CPUS_MAX = 64;
    static final int DEVICES_MAX = 8;
    static final int LANES_MAX = 1024;
    static final int PAGES_MAX = 65_536;
    static final double SECONDS_MIN = 0.1;
    static final double SECONDS_MAX = 86_400;
}
