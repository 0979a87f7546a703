package mmutex.bench.run.workload;

import java.util.List;
import mmutex.machine.Cpu;

/** The words of {@code svm-ops}: every page has one {@link Cell} of each kind. */
final class OpsScene implements Scene {
    private final Stage stage;
    private final long spacing;
    private final OpsRecord[] records;

    OpsScene(final Stage stage) {
        this.stage = stage;
        this.spacing = stage.pageSize() / Walk.SLOTS;
        this.records = new OpsRecord[stage.cpus() + stage.devices()];
        stage.map(Stage.BASE, stage.pages());
    }

    @Override
    public CpuProgram cpuProgram(final int cpu) {
        final Walk walk = new Walk(stage.cpuChoices(cpu), stage.pages(), 0, 1, Cell.count());
        return new OpsCpu(walk, spacing, record(cpu));
    }

    @Override
    public DeviceProgram deviceProgram(final int device, final int lane) {
        final Walk walk = new Walk(stage.laneChoices(device, lane), stage.pages(), 0, 1, Cell.count());
        return new OpsLane(walk, spacing, record(stage.cpus() + device));
    }

    /** An actor's record; the lanes of a device share one. Called by the actor's thread. */
    private OpsRecord record(final int actor) {
        if (records[actor] == null) {
            records[actor] = new OpsRecord(1 + actor, stage.pages() * Walk.SLOTS);
        }
        return records[actor];
    }

    @Override
    public Verdict verdict(final Cpu cpu) {
        final OpsOracle oracle = new OpsOracle(List.of(records), stage.pages());
        for (int page = 0; page < stage.pages(); page++) {
            for (int slot = 0; slot < Cell.count(); slot++) {
                final int counter = page * Walk.SLOTS + slot;
                oracle.finalValue(counter, load(cpu, counter));
            }
        }
        return oracle.verdict();
    }

    private long load(final Cpu cpu, final int counter) {
        final long addr = Stage.BASE + counter * spacing;
        Signals.requireNone(Cell.of(counter).isLong ? cpu.loadLong(addr) : cpu.loadInt(addr), addr);
        return cpu.value();
    }
}
