package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.fault.Signal;
import mmutex.mm.SemanticProfile;

/** A child counts for itself; nobody else sees it (I29). */
public final class AddInChild implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    @Override
    public boolean isPossible(final SemanticProfile profile) {
        return World.keepsExclusiveEntriesApart(profile);
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.isRoot()) {
            return;
        }
        final int counter = hand.dice().nextInt(Counters.count());
        final Signal signal = hand.cpu().fetchAddLong(Counters.addr(counter), 1);
        if (signal != Signal.NONE) {
            // Forked while read-only, or reaped.
            Finding.require(
                    signal == Signal.SEGV_ACCERR || member.reaped && signal == Signal.BUS_ADRERR,
                    "addition in a child: %s",
                    signal);
            return;
        }
        if (member.counters[counter] != Member.UNKNOWN) {
            Finding.require(
                    hand.cpu().value() == member.counters[counter],
                    "counter %d of process %d was %d, expected %d",
                    counter,
                    member.lineage,
                    hand.cpu().value(),
                    member.counters[counter]);
        }
        member.counters[counter] = hand.cpu().value() + 1;
    }
}
