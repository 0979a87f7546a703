package mmutex.bench.run.workload;

import mmutex.device.DeviceAccess;

/** CO-1: counters shared by CPU atomics and device atomics. */
final class SvmCounters implements Workload {
    @Override
    public String name() {
        return "svm-counters";
    }

    @Override
    public String summary() {
        return "CPUs and devices add to the same counters";
    }

    @Override
    public Scene prepare(final Stage stage) {
        return new CounterScene(stage, DeviceAccess.ATOMIC, false);
    }
}
