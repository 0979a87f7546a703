package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;

/** Starts a round of soft-dirty tracking: every writable entry of the process becomes read-only. */
public final class ClearSoftDirty implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runAny().process.clearSoftDirty(hand.cpu());
    }
}
