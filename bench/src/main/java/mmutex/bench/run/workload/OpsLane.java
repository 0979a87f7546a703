package mmutex.bench.run.workload;

import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;

/** A lane's part of {@code svm-ops}. A step is one device atomic; a compare-and-exchange loop takes several. */
final class OpsLane implements DeviceProgram {
    private final Walk walk;
    private final long spacing;
    private final OpsRecord record;
    private int counter;
    /** Compare-and-exchange loop: what the word is thought to hold, and what it is to hold. */
    private long guess;

    private long proposal;

    OpsLane(final Walk walk, final long spacing, final OpsRecord record) {
        this.walk = walk;
        this.spacing = spacing;
        this.record = record;
        turn();
    }

    private void turn() {
        counter = walk.next();
        guess = record.proposals.get(counter);
        proposal = guess + 1;
    }

    @Override
    public boolean step(final DeviceLane lane) {
        final long addr = Stage.BASE + counter * spacing;
        final Cell cell = Cell.of(counter);
        final boolean complete;
        switch (cell) {
            case ADD_64:
            case ADD_32:
                complete = modify(lane, cell, addr, DeviceOperation.ADD, 1, 0);
                if (complete) {
                    record.sums.add(counter, 1);
                }
                break;
            case EXCHANGE_64:
            case EXCHANGE_32:
                final Tickets tickets = record.tickets(cell);
                complete = modify(lane, cell, addr, DeviceOperation.EXCHANGE, tickets.next(), 0);
                if (complete) {
                    tickets.exchanged(counter, lane.value());
                }
                break;
            default:
                complete = modify(lane, cell, addr, DeviceOperation.COMPARE_EXCHANGE, proposal, guess)
                        && raised(cell, lane.value());
                break;
        }
        if (complete) {
            turn();
        }
        return complete;
    }

    /** After a compare-and-exchange: whether the proposal is settled. */
    private boolean raised(final Cell cell, final long seen) {
        final long missing = difference(cell, proposal, seen);
        if (difference(cell, seen, guess) == 0) {
            record.sums.add(counter, missing);
            propose(cell, proposal);
            return true;
        }
        if (missing <= 0) {
            propose(cell, seen);
            return true;
        }
        guess = seen;
        return false;
    }

    /** Other lanes share the record and may have proposed more meanwhile. */
    private void propose(final Cell cell, final long value) {
        final long known = record.proposals.get(counter);
        record.proposals.add(counter, Math.max(0, difference(cell, value, known)));
    }

    /** In the arithmetic of sequence numbers, so that 32-bit values may wrap. */
    private static long difference(final Cell cell, final long a, final long b) {
        return cell.isLong ? a - b : (int) a - (int) b;
    }

    private static boolean modify(
            final DeviceLane lane,
            final Cell cell,
            final long addr,
            final DeviceOperation operation,
            final long operand,
            final long comparand) {
        return cell.isLong
                ? lane.modifyLong(addr, DeviceAccess.ATOMIC, operation, operand, comparand)
                : lane.modifyInt(addr, DeviceAccess.ATOMIC, operation, (int) operand, (int) comparand);
    }
}
