package mmutex.bench.run.workload;

import mmutex.device.DeviceAccess;

/**
 * CN-13: devices take pages from one another. Every device adds to the same counters, CPUs only if asked for; each
 * device that wants the page makes it exclusive, which takes it from the one that has it.
 */
final class Duel implements Workload {
    @Override
    public String name() {
        return "duel";
    }

    @Override
    public String summary() {
        return "two to eight devices add to the same counters; CPUs only if asked for";
    }

    @Override
    public int cpusMin() {
        return 0;
    }

    @Override
    public int cpusDefault() {
        return 0;
    }

    @Override
    public int devicesMin() {
        return 2;
    }

    @Override
    public int devicesDefault() {
        return 2;
    }

    @Override
    public Scene prepare(final Stage stage) {
        return new CounterScene(stage, DeviceAccess.ATOMIC, false);
    }
}
