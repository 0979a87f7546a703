package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;

/** Pages are moved together, as kcompactd does. */
public final class Compact implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        hand.world().machine().compact(hand.cpu());
    }
}
