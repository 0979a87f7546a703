package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;

/** Pages with the same contents are made to share a frame, as ksmd does where it was allowed to. */
public final class MergeSamePages implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        hand.world().mergeSamePages(hand.cpu());
    }
}
