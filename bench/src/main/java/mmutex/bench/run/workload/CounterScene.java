package mmutex.bench.run.workload;

import java.util.ArrayList;
import java.util.List;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.machine.Cpu;

/**
 * Counters that everybody adds 1 to: the sum of what was added must be there at the end (I7).
 *
 * <p>The memory starts as fresh anonymous pages, so the first touches race as well.
 */
final class CounterScene implements Scene {
    private final Stage stage;
    private final DeviceAccess access;
    private final boolean mustLose;
    private final int counters;
    private final long spacing;
    private final Ledger ledger;

    /**
     * Maps the counters.
     *
     * @param access what devices ask for: ATOMIC makes pages exclusive, WRITE does not
     * @param mustLose see {@link Verdict}
     */
    CounterScene(final Stage stage, final DeviceAccess access, final boolean mustLose) {
        this.stage = stage;
        this.access = access;
        this.mustLose = mustLose;
        this.counters = stage.pages() * Walk.SLOTS;
        this.spacing = stage.pageSize() / Walk.SLOTS;
        this.ledger = new Ledger(stage.cpus() + stage.devices(), counters);
        stage.map(Stage.BASE, stage.pages());
    }

    @Override
    public CpuProgram cpuProgram(final int cpu) {
        return new CpuAdder(new Walk(stage.cpuChoices(cpu), stage.pages()), spacing, ledger.row(cpu));
    }

    @Override
    public DeviceProgram deviceProgram(final int device, final int lane) {
        final Walk walk = new Walk(stage.laneChoices(device, lane), stage.pages());
        return new LaneAdder(walk, spacing, access, ledger.row(stage.cpus() + device));
    }

    @Override
    public Verdict verdict(final Cpu cpu) {
        final List<Verdict.Count> counts = new ArrayList<>();
        for (int i = 0; i < counters; i++) {
            final long addr = Stage.BASE + i * spacing;
            Signals.requireNone(cpu.loadLong(addr), addr);
            counts.add(Verdict.Count.of("counter " + i, ledger.sum(i), cpu.value()));
        }
        return new Verdict("increments", counts, List.of(), mustLose);
    }

    /** A CPU's part. */
    private static final class CpuAdder implements CpuProgram {
        private final Walk walk;
        private final long spacing;
        private final Ledger.Row row;

        CpuAdder(final Walk walk, final long spacing, final Ledger.Row row) {
            this.walk = walk;
            this.spacing = spacing;
            this.row = row;
        }

        @Override
        public void step(final Cpu cpu) {
            final int counter = walk.next();
            final long addr = Stage.BASE + counter * spacing;
            Signals.requireNone(cpu.fetchAddLong(addr, 1), addr);
            row.add(counter, 1);
        }
    }

    /** A lane's part. */
    private static final class LaneAdder implements DeviceProgram {
        private final Walk walk;
        private final long spacing;
        private final DeviceAccess access;
        private final Ledger.Row row;
        private int counter;

        LaneAdder(final Walk walk, final long spacing, final DeviceAccess access, final Ledger.Row row) {
            this.walk = walk;
            this.spacing = spacing;
            this.access = access;
            this.row = row;
            this.counter = walk.next();
        }

        @Override
        public boolean step(final DeviceLane lane) {
            if (!lane.modifyLong(Stage.BASE + counter * spacing, access, DeviceOperation.ADD, 1, 0)) {
                return false;
            }
            row.add(counter, 1);
            counter = walk.next();
            return true;
        }
    }
}
