package mmutex.bench.torture.op.file;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** Moves the end of the file that all map, while they use it; or punches holes into private mappings of it. */
public final class TruncateCommonFile implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int pages = hand.dice().nextInt(World.FILE_PAGES + 1);
        final Errno errno;
        if (hand.dice().nextInt(3) == 0) {
            final long length = (long) Math.max(1, pages) * World.PAGE;
            errno = member.process.madvise(hand.cpu(), World.commonFile(0, false), length, Advice.DONTNEED);
        } else {
            errno = hand.world().commonFile().truncate(hand.cpu(), (long) pages * World.PAGE);
            // Mostly it is long enough to be used.
            hand.world().commonFile().truncate(hand.cpu(), (long) World.FILE_PAGES * World.PAGE);
        }
        Finding.require(errno == Errno.OK, "truncation of the common file: %s", errno);
    }
}
