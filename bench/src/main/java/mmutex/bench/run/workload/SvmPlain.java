package mmutex.bench.run.workload;

import mmutex.device.DeviceAccess;

/**
 * CO-3, the negative control: devices load, compute and store through plain writable mappings, while CPUs use the same
 * pages. Updates get lost; if none is, the oracle is blind.
 */
final class SvmPlain implements Workload {
    @Override
    public String name() {
        return "svm-plain";
    }

    @Override
    public String summary() {
        return "the same without exclusive access: must lose updates";
    }

    @Override
    public int devicesMin() {
        return 1;
    }

    @Override
    public Scene prepare(final Stage stage) {
        return new CounterScene(stage, DeviceAccess.WRITE, true);
    }
}
