package mmutex.bench.run.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class OpsOracleTest {
    private static final int ADD_32 = Cell.ADD_32.ordinal();
    private static final int EXCHANGE_64 = Cell.EXCHANGE_64.ordinal();
    private static final int EXCHANGE_32 = Cell.EXCHANGE_32.ordinal();
    private static final int MAX_64 = Cell.MAX_64.ordinal();

    private final OpsRecord first = new OpsRecord(1, Walk.SLOTS);
    private final OpsRecord second = new OpsRecord(2, Walk.SLOTS);
    private final long[] words = new long[Walk.SLOTS];

    @Test
    void shouldAcceptWhatAddsUp() {
        exchange(first, EXCHANGE_64);
        exchange(second, EXCHANGE_64);
        exchange(second, EXCHANGE_32);
        first.sums.add(ADD_32, 3);
        words[ADD_32] = 3;

        assertThat(verdict().holds()).isTrue();
        assertThat(verdict().expected()).isEqualTo(6);
    }

    @Test
    void shouldMissATicketThatWasOverwritten() {
        exchange(first, EXCHANGE_64);
        final long seenByBoth = words[EXCHANGE_64];
        exchange(second, EXCHANGE_64);
        // The first one overwrites with what it computed from the older value: the second one's ticket is gone.
        words[EXCHANGE_64] = first.longTickets.next();
        first.longTickets.exchanged(EXCHANGE_64, seenByBoth);

        final Verdict verdict = verdict();

        assertThat(verdict.lost()).isEqualTo(1);
        assertThat(verdict.found()).isEqualTo(2);
        assertThat(verdict.holds()).isFalse();
    }

    @Test
    void shouldNoticeALostTicketOfAnOriginThatAlsoReturnsTwice() {
        exchange(first, EXCHANGE_32);
        final long seenTwice = words[EXCHANGE_32];
        exchange(first, EXCHANGE_32);
        words[EXCHANGE_32] = (int) first.intTickets.next();
        first.intTickets.exchanged(EXCHANGE_32, seenTwice);

        assertThat(verdict().lost()).isEqualTo(1);
    }

    @Test
    void shouldCountIntegersModuloTheirRange() {
        final long times = (1L << 32) + 5;
        first.sums.add(ADD_32, times);
        words[ADD_32] = 5;

        assertThat(verdict().holds()).isTrue();
        assertThat(verdict().found()).isEqualTo(times);

        words[ADD_32] = 3;
        assertThat(verdict().lost()).isEqualTo(2);
    }

    @Test
    void shouldNoticeAMaximumBelowAProposal() {
        first.proposals.add(MAX_64, 10);
        first.sums.add(MAX_64, 9);
        words[MAX_64] = 9;

        assertThat(verdict().lost()).isZero();
        assertThat(verdict().holds()).isFalse();
    }

    private void exchange(final OpsRecord by, final int counter) {
        final Tickets tickets = by.tickets(Cell.of(counter));
        final long ticket = tickets.next();
        tickets.exchanged(counter, words[counter]);
        words[counter] = Cell.of(counter).isLong ? ticket : (int) ticket;
    }

    private Verdict verdict() {
        final OpsOracle oracle = new OpsOracle(List.of(first, second), 1);
        for (int slot = 0; slot < Cell.count(); slot++) {
            oracle.finalValue(slot, words[slot]);
        }
        return oracle.verdict();
    }
}
