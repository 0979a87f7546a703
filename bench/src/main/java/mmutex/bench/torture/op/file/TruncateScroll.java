package mmutex.bench.torture.op.file;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Scroll;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** ftruncate of the hand's file, down and up: behind the end there is nothing, in no process, copies included. */
public final class TruncateScroll implements TortureOperation {
    @Override
    public int weight() {
        return 5;
    }

    @Override
    public void perform(final Hand hand) {
        final Scroll scroll = hand.scroll();
        final int before = scroll.size();
        final int pages =
                hand.dice().nextInt(3) == 0 ? Scroll.PAGES : hand.dice().nextInt(Scroll.PAGES + 1);
        final Errno errno = scroll.file().truncate(hand.cpu(), (long) pages * World.PAGE);
        Finding.require(errno == Errno.OK, "ftruncate: %s", errno);
        scroll.truncated(pages);
        if (pages < before) {
            hand.root().copies.dropped(pages, Scroll.PAGES);
            hand.descendants().forEach(member -> member.copies.dropped(pages, Scroll.PAGES));
        }
    }
}
