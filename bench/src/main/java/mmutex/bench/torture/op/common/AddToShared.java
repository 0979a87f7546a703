package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.fault.Signal;

/** Additions to shared memory, by whatever process: all see all of them. */
public final class AddToShared implements TortureOperation {
    @Override
    public int weight() {
        return 10;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        for (int left = 1 + hand.dice().nextInt(16); left > 0; left--) {
            final Signal signal = hand.cpu().fetchAddLong(World.SHARED, 1);
            Finding.require(
                    signal == Signal.NONE, "addition in shared memory by process %d: %s", member.lineage, signal);
            hand.sawShared(hand.cpu().value());
            hand.world().sharedAdded();
        }
    }
}
