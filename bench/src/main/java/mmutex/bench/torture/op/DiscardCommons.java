package mmutex.bench.torture.op;

import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** MADV_DONTNEED of common pages. */
final class DiscardCommons implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int first = hand.dice().nextInt(World.COMMONS_PAGES);
        final int pages = 1 + hand.dice().nextInt(World.COMMONS_PAGES - first);
        final Errno errno = member.process.madvise(
                hand.cpu(), World.commons(first), (long) pages * World.PAGE, Advice.DONTNEED);
        Finding.require(errno == Errno.OK || errno == Errno.ENOMEM, "madvise of common pages: %s", errno);
    }
}
