package mmutex.bench.run.workload;

/** What one actor of {@code svm-ops} did. Used by one thread. */
final class OpsRecord {
    /** Of sums: times added, or by how much the maximum was raised. */
    final Ledger.Row sums;
    /** The highest value that the actor has proposed as maximum, or 0. */
    final Ledger.Row proposals;

    final Tickets longTickets;
    final Tickets intTickets;

    OpsRecord(final int origin, final int counters) {
        this.sums = new Ledger(1, counters).row(0);
        this.proposals = new Ledger(1, counters).row(0);
        this.longTickets = new Tickets(true, origin);
        this.intTickets = new Tickets(false, origin);
    }

    Tickets tickets(final Cell cell) {
        return cell == Cell.EXCHANGE_64 ? longTickets : intTickets;
    }
}
