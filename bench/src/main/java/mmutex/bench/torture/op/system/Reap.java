package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.SemanticProfile;

/** A descendant exits; before that, now and then, the out-of-memory reaper takes what it has. */
public final class Reap implements TortureOperation {
    @Override
    public int weight() {
        return 5;
    }

    @Override
    public boolean isPossible(final SemanticProfile profile) {
        return World.keepsExclusiveEntriesApart(profile);
    }

    @Override
    public void perform(final Hand hand) {
        if (hand.descendants().isEmpty()) {
            return;
        }
        final int index = hand.dice().nextInt(hand.descendants().size());
        final Member member = hand.descendants().get(index);
        if (hand.dice().nextInt(4) == 0 && !member.reaped) {
            member.process.reap(hand.cpu());
            member.reaped = true;
            return;
        }
        hand.run(member);
        for (int page = 0; page < member.plot.count(); page++) {
            hand.checkPlotPage(member, member.plot, page);
        }
        for (int i = 0; i < FIELD_SAMPLES; i++) {
            hand.checkPlotPage(member, member.field, member.field.choosePage(hand.dice()));
        }
        hand.runNone();
        member.process.exit(hand.cpu());
        hand.descendants().remove(index);
    }

    private static final int FIELD_SAMPLES = 16;
}
