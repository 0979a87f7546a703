package mmutex.bench.torture.op;

import mmutex.fault.Signal;

/** A CPU's atomic additions; a page that somebody has just made read-only is left alone. */
final class AddToCounter implements TortureOperation {
    @Override
    public int weight() {
        return 40;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final int counter = hand.dice().nextInt(Counters.count());
        // Now and then for long enough that a device has to break in.
        final int most = hand.dice().nextInt(8) == 0 ? 512 : 8;
        for (int left = 1 + hand.dice().nextInt(most); left > 0; left--) {
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
