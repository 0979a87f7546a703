package mmutex.bench.run.workload;

import java.util.ArrayList;
import java.util.List;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.machine.Cpu;

/**
 * Counters on interleaved pages: page {@code g * (1 + devices)} of each group belongs to the CPUs, the next to device 0,
 * and so on. A fault on a page that its owner has already used is late: it means that somebody took a page that he had
 * no business with.
 */
final class NeighbourScene implements Scene {
    private final Stage stage;
    private final int pageStep;
    private final int counters;
    private final long spacing;
    private final Ledger ledger;
    /** Late faults: a column per page. */
    private final Ledger late;

    NeighbourScene(final Stage stage) {
        this.stage = stage;
        this.pageStep = 1 + stage.devices();
        this.counters = stage.pages() * pageStep * Walk.SLOTS;
        this.spacing = stage.pageSize() / Walk.SLOTS;
        this.ledger = new Ledger(stage.cpus() + stage.devices(), counters);
        this.late = new Ledger(stage.cpus() + stage.devices(), stage.pages() * pageStep);
        stage.map(Stage.BASE, (long) stage.pages() * pageStep);
    }

    @Override
    public CpuProgram cpuProgram(final int cpu) {
        final Walk walk = new Walk(stage.cpuChoices(cpu), stage.pages(), 0, pageStep, Walk.SLOTS);
        final Ledger.Row row = ledger.row(cpu);
        final Ledger.Row lateRow = late.row(cpu);
        return processor -> {
            final int counter = walk.next();
            final long addr = Stage.BASE + counter * spacing;
            final boolean isFirstTouch = isUnused(row, counter);
            final long faults = processor.faults();
            Signals.requireNone(processor.fetchAddLong(addr, 1), addr);
            row.add(counter, 1);
            if (processor.faults() != faults && !isFirstTouch) {
                lateRow.add(counter / Walk.SLOTS, 1);
            }
        };
    }

    @Override
    public DeviceProgram deviceProgram(final int device, final int lane) {
        final Walk walk = new Walk(stage.laneChoices(device, lane), stage.pages(), 1 + device, pageStep, Walk.SLOTS);
        return new LaneAdder(walk, ledger.row(stage.cpus() + device), late.row(stage.cpus() + device));
    }

    @Override
    public Verdict verdict(final Cpu cpu) {
        final List<Verdict.Count> counts = new ArrayList<>();
        for (int i = 0; i < counters; i++) {
            final long addr = Stage.BASE + i * spacing;
            Signals.requireNone(cpu.loadLong(addr), addr);
            counts.add(Verdict.Count.of("counter " + i, ledger.sum(i), cpu.value()));
        }
        long lateCpu = 0;
        long lateDevice = 0;
        for (int page = 0; page < stage.pages() * pageStep; page++) {
            if (page % pageStep == 0) {
                lateCpu += late.sum(page);
            } else {
                lateDevice += late.sum(page);
            }
        }
        return new Verdict(
                "increments",
                counts,
                List.of(
                        new Verdict.Condition(lateCpu + " CPU faults after the first touch of a page", lateCpu == 0),
                        new Verdict.Condition(
                                lateDevice + " device faults after the first use of a page", lateDevice == 0)),
                false);
    }

    /** Whether the row's actor has not yet completed an access to the counter's page. */
    private static boolean isUnused(final Ledger.Row row, final int counter) {
        final int first = counter - counter % Walk.SLOTS;
        for (int i = first; i < first + Walk.SLOTS; i++) {
            if (row.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** A lane's part. The lanes of a device share their rows: a page that one has used is mapped for all. */
    private final class LaneAdder implements DeviceProgram {
        private final Walk walk;
        private final Ledger.Row row;
        private final Ledger.Row lateRow;
        private int counter;

        LaneAdder(final Walk walk, final Ledger.Row row, final Ledger.Row lateRow) {
            this.walk = walk;
            this.row = row;
            this.lateRow = lateRow;
            this.counter = walk.next();
        }

        @Override
        public boolean step(final DeviceLane lane) {
            final long addr = Stage.BASE + counter * spacing;
            if (!lane.modifyLong(addr, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                if (!isUnused(row, counter)) {
                    lateRow.add(counter / Walk.SLOTS, 1);
                }
                return false;
            }
            row.add(counter, 1);
            counter = walk.next();
            return true;
        }
    }
}
