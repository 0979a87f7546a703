package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;

/** Pages are written out or dropped, as kswapd does when memory is short: whose they are does not matter. */
public final class Reclaim implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        hand.world().machine().reclaim(hand.cpu(), 1 + hand.dice().nextInt(16));
    }
}
