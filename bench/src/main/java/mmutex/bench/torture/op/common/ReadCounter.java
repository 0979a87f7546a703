package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.fault.Signal;

/** Counters never run backwards; those of a child are those of its fork, plus what it has added itself (I29). */
public final class ReadCounter implements TortureOperation {
    @Override
    public int weight() {
        return 15;
    }

    @Override
    public void perform(final Hand hand) {
        final int counter = hand.dice().nextInt(Counters.count());
        final Member member = hand.runAny();
        final Signal signal = hand.cpu().loadLong(Counters.addr(counter));
        if (member.reaped && signal == Signal.BUS_ADRERR) {
            return;
        }
        Finding.require(signal == Signal.NONE, "read of counter %d: %s", counter, signal);
        final long value = hand.cpu().value();
        if (member.isRoot()) {
            hand.sawCounter(counter, value, "read");
        } else {
            ofDescendant(hand, member, counter, value);
        }
    }

    private static void ofDescendant(final Hand hand, final Member member, final int counter, final long value) {
        if (member.counters[counter] == Member.UNKNOWN) {
            Finding.require(
                    value >= member.least[counter] && value <= member.most[counter],
                    "counter %d of process %d is %d, the fork can have copied %d to %d",
                    counter,
                    member.lineage,
                    value,
                    member.least[counter],
                    member.most[counter]);
            member.counters[counter] = value;
        }
        Finding.require(
                value == member.counters[counter],
                "%s: counter %d of process %d is %d, expected %d",
                hand.cpu().name(),
                counter,
                member.lineage,
                value,
                member.counters[counter]);
    }
}
