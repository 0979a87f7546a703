package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** mremap within the plot: contents go along, whatever the entries are. A refused move has unmapped its destination. */
public final class MovePlot implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final int pages = plot.hasHole(range[0], range[1]) ? 1 : range[1] - range[0];
        final int to = plot.chooseDestination(hand.dice(), pages);
        final boolean keepOld = hand.dice().nextInt(4) == 0;
        if (to < range[0] + pages && range[0] < to + pages) {
            return; // they would overlap
        }
        final Errno errno = member.process.mremap(
                hand.cpu(), plot.addr(range[0]), (long) pages * World.PAGE, plot.addr(to), keepOld);
        if (!plot.page(range[0]).mapped) {
            Finding.require(
                    errno == Errno.EFAULT || errno == Errno.OK && pages == 1, "mremap of an unmapped page: %s", errno);
            if (errno == Errno.OK) {
                plot.page(to).mapped = false;
            }
        } else if (errno == Errno.OK) {
            plot.move(range[0], pages, to, keepOld);
        } else {
            // Several VMAs can't be moved at once; the destination is gone all the same.
            Finding.require(
                    errno == Errno.EFAULT
                            && pages > 1
                            && !hand.world().profile().mremapMovesManyVmas(),
                    "mremap of %d pages of a plot: %s",
                    pages,
                    errno);
            for (int page = to; page < to + pages; page++) {
                plot.page(page).mapped = false;
            }
        }
    }
}
