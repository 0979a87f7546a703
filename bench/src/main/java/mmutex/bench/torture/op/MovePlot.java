package mmutex.bench.torture.op;

import mmutex.mm.Errno;

/** mremap within the plot: contents go along, whatever the entries are. A refused move has unmapped its destination. */
final class MovePlot implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int[] range = hand.randomPlotRange();
        final int pages = member.plot.hasHole(range[0], range[1]) ? 1 : range[1] - range[0];
        final int to = hand.dice().nextInt(World.PLOT_PAGES - pages + 1);
        final boolean keepOld = hand.dice().nextInt(4) == 0;
        if (to < range[0] + pages && range[0] < to + pages) {
            return; // they would overlap
        }
        final Errno errno = member.process.mremap(
                hand.cpu(), hand.plotAddr(range[0]), (long) pages * World.PAGE, hand.plotAddr(to), keepOld);
        if (!member.plot.page(range[0]).mapped) {
            Finding.require(
                    errno == Errno.EFAULT || errno == Errno.OK && pages == 1, "mremap of an unmapped page: %s", errno);
            if (errno == Errno.OK) {
                member.plot.page(to).mapped = false;
            }
        } else if (errno == Errno.OK) {
            member.plot.move(range[0], pages, to, keepOld);
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
                member.plot.page(page).mapped = false;
            }
        }
    }
}
