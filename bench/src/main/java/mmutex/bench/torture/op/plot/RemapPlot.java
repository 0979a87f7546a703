package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** Unmaps own pages, or maps fresh ones where there are none, or over what is there. */
public final class RemapPlot implements TortureOperation {
    @Override
    public int weight() {
        return 7;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final long addr = plot.addr(range[0]);
        final long length = (long) (range[1] - range[0]) * World.PAGE;
        switch (hand.dice().nextInt(4)) {
            case 0:
                final Errno unmapped = member.process.munmap(hand.cpu(), addr, length);
                Finding.require(unmapped == Errno.OK, "munmap of a plot: %s", unmapped);
                for (int page = range[0]; page < range[1]; page++) {
                    plot.page(page).mapped = false;
                }
                break;
            case 1:
                final Errno replaced = member.process.mmapOver(hand.cpu(), addr, length, World.READ_WRITE);
                Finding.require(replaced == Errno.OK, "mmap over a plot: %s", replaced);
                plot.fresh(range);
                break;
            default:
                boolean free = true;
                for (int page = range[0]; page < range[1]; page++) {
                    free &= !plot.page(page).mapped;
                }
                final Errno mapped = member.process.mmap(hand.cpu(), addr, length, World.READ_WRITE);
                final Errno expected = free ? Errno.OK : Errno.EEXIST;
                Finding.require(mapped == expected, "mmap of a plot: %s, expected %s", mapped, expected);
                if (free) {
                    plot.fresh(range);
                }
        }
    }
}
