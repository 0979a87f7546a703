package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.fault.Signal;

/** Reads a common page, or writes a tag to it. */
public final class UseCommons implements TortureOperation {
    @Override
    public int weight() {
        return 20;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int page = hand.dice().nextInt(World.COMMONS_PAGES);
        // Now and then for long enough that somebody takes the page away meanwhile.
        final int most = hand.dice().nextInt(8) == 0 ? 512 : 2;
        for (int left = 1 + hand.dice().nextInt(most); left > 0; left--) {
            use(hand, member, page);
        }
    }

    private static void use(final Hand hand, final Member member, final int page) {
        final long addr = World.commons(page) + (long) hand.dice().nextInt(World.WORDS) * Long.BYTES;
        final Signal signal;
        if (hand.dice().nextBoolean()) {
            signal = hand.cpu().storeLong(addr, hand.world().tags().make(page, member.lineage));
        } else {
            signal = hand.cpu().loadLong(addr);
            if (signal == Signal.NONE) {
                member.checkCommon(page, hand.cpu().value(), hand.cpu().name());
            }
        }
        Finding.require(
                signal == Signal.NONE
                        || signal == Signal.SEGV_MAPERR
                        || signal == Signal.SEGV_ACCERR
                        || member.reaped && signal == Signal.BUS_ADRERR,
                "access to common page %d: %s",
                page,
                signal);
    }
}
