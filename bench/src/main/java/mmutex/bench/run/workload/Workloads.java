package mmutex.bench.run.workload;

import java.util.List;

/** The workloads by name. */
public final class Workloads {
    private static final List<Workload> ALL =
            List.of(new SvmCounters(), new SvmNeighbours(), new SvmPlain(), new SvmOps(), new SvmStorm(), new Duel());

    private Workloads() {}

    /** All, the default first. */
    public static List<Workload> all() {
        return ALL;
    }
}
