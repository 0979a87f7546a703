package mmutex.bench.run.workload;

import java.util.ArrayList;
import java.util.List;

/** Judges {@code svm-ops} from the actors' records and the final values of all words. */
final class OpsOracle {
    private final List<OpsRecord> records;
    private final int pages;
    private final long[] expected = new long[Cell.count()];
    private final long[] found = new long[Cell.count()];
    private final long[] lost = new long[Cell.count()];
    private final Tickets longRemains = new Tickets(true, 0);
    private final Tickets intRemains = new Tickets(false, 0);
    private int maximaTooLow;

    OpsOracle(final List<OpsRecord> records, final int pages) {
        this.records = records;
        this.pages = pages;
    }

    /** Every word's final value, once each. */
    void finalValue(final int counter, final long value) {
        final Cell cell = Cell.of(counter);
        switch (cell) {
            case EXCHANGE_64:
                longRemains.remains(counter, value);
                break;
            case EXCHANGE_32:
                intRemains.remains(counter, value);
                break;
            case MAX_64:
            case MAX_32:
                maximaTooLow += isBelowProposal(cell, counter, value) ? 1 : 0;
                sum(cell, counter, value);
                break;
            default:
                sum(cell, counter, value);
                break;
        }
    }

    /** Additions, or raises of a maximum: they add up to the final value. */
    private void sum(final Cell cell, final int counter, final long value) {
        long sum = 0;
        for (final OpsRecord record : records) {
            sum += record.sums.get(counter);
        }
        // 32-bit words count modulo 2^32: the total nearest to the expected one is meant.
        final long total = sum + difference(cell, value, sum);
        expected[cell.ordinal()] += sum;
        found[cell.ordinal()] += total;
        lost[cell.ordinal()] += Math.abs(total - sum);
    }

    private boolean isBelowProposal(final Cell cell, final int counter, final long value) {
        return records.stream().anyMatch(record -> difference(cell, record.proposals.get(counter), value) > 0);
    }

    Verdict verdict() {
        tickets(Cell.EXCHANGE_64, longRemains);
        tickets(Cell.EXCHANGE_32, intRemains);
        final List<Verdict.Count> counts = new ArrayList<>();
        for (final Cell cell : Cell.values()) {
            final int i = cell.ordinal();
            counts.add(new Verdict.Count(cell.label, expected[i], found[i], lost[i]));
        }
        return new Verdict(
                "operations",
                counts,
                List.of(new Verdict.Condition(maximaTooLow + " maxima below a proposed value", maximaTooLow == 0)),
                false);
    }

    private void tickets(final Cell cell, final Tickets remains) {
        long hash = remains.hash();
        long put = 0;
        long missing = 0;
        for (final OpsRecord record : records) {
            hash += record.tickets(cell).hash();
            put += record.tickets(cell).put();
        }
        for (int origin = 0; origin < Tickets.ORIGINS_MAX; origin++) {
            missing += Math.max(0, putBy(cell, origin) - pickedOf(cell, origin, remains));
        }
        // Tickets of one origin may have been lost and doubled: then only the hash knows.
        final long gone = hash == 0 ? missing : Math.max(1, missing);
        expected[cell.ordinal()] = put;
        found[cell.ordinal()] = put - gone;
        lost[cell.ordinal()] = gone;
    }

    private long putBy(final Cell cell, final int origin) {
        if (origin == 0) {
            return pages; // the zeros at the beginning
        }
        return origin <= records.size() ? records.get(origin - 1).tickets(cell).put() : 0;
    }

    private long pickedOf(final Cell cell, final int origin, final Tickets remains) {
        long picked = remains.picked(origin);
        for (final OpsRecord record : records) {
            picked += record.tickets(cell).picked(origin);
        }
        return picked;
    }

    private static long difference(final Cell cell, final long a, final long b) {
        return cell.isLong ? a - b : (int) a - (int) b;
    }
}
