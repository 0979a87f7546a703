package mmutex.bench.run.workload;

import mmutex.machine.Cpu;

/** A CPU's part of {@code svm-ops}. */
final class OpsCpu implements CpuProgram {
    private final Walk walk;
    private final long spacing;
    private final OpsRecord record;

    OpsCpu(final Walk walk, final long spacing, final OpsRecord record) {
        this.walk = walk;
        this.spacing = spacing;
        this.record = record;
    }

    @Override
    public void step(final Cpu cpu) {
        final int counter = walk.next();
        final long addr = Stage.BASE + counter * spacing;
        final Cell cell = Cell.of(counter);
        switch (cell) {
            case ADD_64:
                Signals.requireNone(cpu.fetchAddLong(addr, 1), addr);
                record.sums.add(counter, 1);
                break;
            case ADD_32:
                Signals.requireNone(cpu.fetchAddInt(addr, 1), addr);
                record.sums.add(counter, 1);
                break;
            case EXCHANGE_64:
                Signals.requireNone(cpu.exchangeLong(addr, record.longTickets.next()), addr);
                record.longTickets.exchanged(counter, cpu.value());
                break;
            case EXCHANGE_32:
                Signals.requireNone(cpu.exchangeInt(addr, (int) record.intTickets.next()), addr);
                record.intTickets.exchanged(counter, cpu.value());
                break;
            case MAX_64:
                raiseLong(cpu, counter, addr);
                break;
            default:
                raiseInt(cpu, counter, addr);
                break;
        }
    }

    /** Proposes one more than the actor's last proposal or what it has seen there, as {@link OpsLane} does. */
    private void raiseLong(final Cpu cpu, final int counter, final long addr) {
        final long proposal = record.proposals.get(counter) + 1;
        long seen;
        do { // ends: others only raise the value, at last above the proposal
            Signals.requireNone(cpu.loadLong(addr), addr);
            seen = cpu.value();
            if (seen - proposal >= 0) {
                record.proposals.add(counter, seen - proposal + 1);
                return;
            }
            Signals.requireNone(cpu.compareAndSetLong(addr, seen, proposal), addr);
        } while (cpu.value() == 0);
        record.sums.add(counter, proposal - seen);
        record.proposals.add(counter, 1);
    }

    private void raiseInt(final Cpu cpu, final int counter, final long addr) {
        final int proposal = (int) record.proposals.get(counter) + 1;
        int seen;
        do { // ends, as above
            Signals.requireNone(cpu.loadInt(addr), addr);
            seen = (int) cpu.value();
            if (seen - proposal >= 0) {
                record.proposals.add(counter, seen - proposal + 1);
                return;
            }
            Signals.requireNone(cpu.compareAndSetInt(addr, seen, proposal), addr);
        } while (cpu.value() == 0);
        record.sums.add(counter, proposal - seen);
        record.proposals.add(counter, 1);
    }
}
