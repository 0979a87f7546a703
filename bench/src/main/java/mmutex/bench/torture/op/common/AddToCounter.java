package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.fault.Signal;

/** A CPU's atomic additions; a page that somebody has just made read-only is left alone. */
public final class AddToCounter implements TortureOperation {
    @Override
    public int weight() {
        return 40;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        // Now and then for long enough that a device has to break in.
        final int most = hand.dice().nextInt(8) == 0 ? 2048 : 8;
        add(hand, Counters.choose(hand.dice()), 1 + hand.dice().nextInt(most));
    }

    /** Additions in the shared process, which the CPU runs. */
    static void add(final Hand hand, final int counter, final int times) {
        for (int left = times; left > 0; left--) {
            final Signal signal = hand.cpu().fetchAddLong(Counters.addr(counter), 1);
            if (signal != Signal.NONE) {
                Finding.require(signal == Signal.SEGV_ACCERR, "addition to counter %d: %s", counter, signal);
                return;
            }
            hand.sawCounter(counter, hand.cpu().value(), "addition");
            hand.world().counters().added(counter);
        }
    }
}
