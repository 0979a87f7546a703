package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** Discards common pages, now or some time, or brings them in. */
public final class DiscardCommons implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int first = hand.dice().nextInt(World.COMMONS_PAGES);
        final int pages = 1 + hand.dice().nextInt(World.COMMONS_PAGES - first);
        final Advice advice = KINDS[hand.dice().nextInt(KINDS.length)];
        final Errno errno = member.process.madvise(hand.cpu(), World.commons(first), (long) pages * World.PAGE, advice);
        Finding.require(
                errno == Errno.OK
                        || errno == Errno.ENOMEM
                        || advice != Advice.DONTNEED && (errno == Errno.EINVAL || errno == Errno.EFAULT),
                "madvise %s of common pages: %s",
                advice,
                errno);
    }

    private static final Advice[] KINDS = {
        Advice.DONTNEED, Advice.DONTNEED, Advice.FREE, Advice.COLD, Advice.POPULATE_READ, Advice.POPULATE_WRITE
    };
}
