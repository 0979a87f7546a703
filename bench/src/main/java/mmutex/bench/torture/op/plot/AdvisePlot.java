package mmutex.bench.torture.op.plot;

import java.util.EnumSet;
import java.util.Set;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** Every kind of advice to own pages. Holes are passed over and reported at the end. */
public final class AdvisePlot implements TortureOperation {
    @Override
    public int weight() {
        return 10;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final Advice advice = Advice.values()[hand.dice().nextInt(Advice.values().length)];
        final Errno errno = member.process.madvise(
                hand.cpu(), plot.addr(range[0]), (long) (range[1] - range[0]) * World.PAGE, advice);
        final Errno expected = plot.hasHole(range[0], range[1]) ? Errno.ENOMEM : Errno.OK;
        Finding.require(
                MAY_BE_REFUSED.contains(advice) || errno == expected,
                "madvise %s of a plot: %s, expected %s",
                advice,
                errno,
                expected);
        for (int page = range[0]; page < range[1]; page++) {
            if (plot.page(page).mapped) {
                advised(plot.page(page), advice);
            }
        }
    }

    /** For a page's protection, for want of a huge page, or by a kernel that is older than the advice. */
    private static final Set<Advice> MAY_BE_REFUSED =
            EnumSet.of(Advice.POPULATE_READ, Advice.POPULATE_WRITE, Advice.COLLAPSE, Advice.PAGEOUT);

    private static void advised(final Plot.Page page, final Advice advice) {
        switch (advice) {
            case DONTNEED:
                page.holds(0);
                break;
            case FREE:
                page.lazilyFreed();
                break;
            case DONTFORK:
                page.inherited = false;
                break;
            case DOFORK:
                page.inherited = true;
                break;
            case WIPEONFORK:
                page.wiped = true;
                break;
            case KEEPONFORK:
                page.wiped = false;
                break;
            case MERGEABLE:
                page.mergeable = true;
                break;
            case UNMERGEABLE:
                page.mergeable = false;
                break;
            default:
                break; // neither contents nor inheritance
        }
    }
}
