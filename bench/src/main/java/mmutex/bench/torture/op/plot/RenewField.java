package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** Fresh memory where a large folio fits, and welcome there; the first access gets it, or the huge page of zeroes. */
public final class RenewField implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final Plot field = member.field;
        final int[] folio = field.chooseFolio(hand.dice());
        final long addr = field.addr(folio[0]);
        final long length = (long) World.FOLIO_PAGES * World.PAGE;
        require(member.process.mmapOver(hand.cpu(), addr, length, World.READ_WRITE), "mmap over a field");
        require(member.process.madvise(hand.cpu(), addr, length, Advice.HUGEPAGE), "MADV_HUGEPAGE of a field");
        field.fresh(folio);
        final int page = folio[0] + hand.dice().nextInt(World.FOLIO_PAGES);
        if (hand.dice().nextInt(4) == 0) {
            hand.checkPlotPage(member, field, page);
        }
        UsePlot.write(hand, member, field, page);
        if (hand.isHuge(member, addr)) {
            hand.happened("large folio by fault");
        }
    }

    private static void require(final Errno errno, final String what) {
        Finding.require(errno == Errno.OK, "%s: %s", what, errno);
    }
}
