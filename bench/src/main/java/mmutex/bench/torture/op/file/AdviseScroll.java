package mmutex.bench.torture.op.file;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Scroll;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** Advice to mappings of the hand's file: DONTNEED punches private copies out, the others leave contents alone. */
public final class AdviseScroll implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final Scroll scroll = hand.scroll();
        final int[] range = scroll.chooseRange(hand.dice());
        final boolean shared = hand.dice().nextBoolean();
        final Advice advice = KINDS[hand.dice().nextInt(KINDS.length)];
        final Errno errno = member.process.madvise(
                hand.cpu(), scroll.addr(range[0], shared), (long) (range[1] - range[0]) * World.PAGE, advice);
        final boolean mayFail = advice != Advice.DONTNEED && advice != Advice.COLD;
        Finding.require(mayFail || errno == Errno.OK, "madvise %s of a file: %s", advice, errno);
        for (int page = range[0]; page < range[1] && !shared && page < scroll.size(); page++) {
            if (advice == Advice.POPULATE_WRITE) {
                member.copies.mayBeCopied(page, member.copies.seen(page, scroll.contents(page)));
            }
        }
        if (advice == Advice.DONTNEED && !shared) {
            member.copies.dropped(range[0], range[1]);
        }
    }

    private static final Advice[] KINDS = {
        Advice.DONTNEED,
        Advice.DONTNEED,
        Advice.COLD,
        Advice.PAGEOUT,
        Advice.FREE,
        Advice.POPULATE_READ,
        Advice.POPULATE_WRITE
    };
}
