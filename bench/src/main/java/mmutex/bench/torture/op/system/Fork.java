package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.check.MomentChecks;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;

/** Forks the shared process or a descendant, and remembers what the child must have. */
public final class Fork implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    /**
     * V3 hands exclusive entries down, which count as no mappings. So a page may be shared although its mapcount is one: if one
     * side then frees it lazily, the other one loses it; and what a child restores, no device of its parent hears of (I2).
     */
    @Override
    public boolean isPossible(final SemanticProfile profile) {
        return World.keepsExclusiveEntriesApart(profile);
    }

    @Override
    public void perform(final Hand hand) {
        if (hand.descendants().size() >= DESCENDANTS_MAX) {
            return;
        }
        final Member parent = hand.runAny();
        if (parent.reaped) {
            return; // dying processes don't fork
        }
        final long[] least = sums(hand, parent);
        final Process.Forked forked = parent.process.fork(hand.cpu());
        if (forked.errno() != Errno.OK) {
            // A driver had an exclusive page in its hands.
            Finding.require(forked.errno() == Errno.ENOMEM, "fork: %s", forked.errno());
            return;
        }
        MomentChecks.afterFork(hand.cpu(), forked.child().space()).orThrow();
        final long stamp = hand.world().tags().now();
        final Member child = parent.child(forked.child(), hand.world().tags().newLineage(), stamp);
        remember(hand, parent, child, least);
        hand.descendants().add(child);
    }

    /** Of each hand: more would only cost memory. */
    private static final int DESCENDANTS_MAX = 3;

    private static long[] sums(final Hand hand, final Member parent) {
        final long[] sums = new long[Counters.count()];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = parent.isRoot() ? hand.world().counters().sum(i) : parent.least[i];
        }
        return sums;
    }

    /** What was added before the fork began is there; what began after it returned is not. */
    private static void remember(final Hand hand, final Member parent, final Member child, final long[] least) {
        for (int i = 0; i < least.length; i++) {
            child.least[i] = least[i];
            child.most[i] = parent.isRoot()
                    ? hand.world().counters().sum(i) + hand.world().adders()
                    : parent.most[i];
            child.counters[i] = parent.isRoot() ? Member.UNKNOWN : parent.counters[i];
        }
    }
}
