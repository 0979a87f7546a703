package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;
import mmutex.mm.PageMap.PageState;

/** Looks that change nothing: mincore, /proc/PID/pagemap, and what the test device says that it has. */
public final class InspectPlot implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final int pages = range[1] - range[0];
        final Errno errno = member.process.mincore(hand.cpu(), plot.addr(range[0]), pages, new byte[pages]);
        final Errno expected = plot.hasHole(range[0], range[1]) ? Errno.ENOMEM : Errno.OK;
        Finding.require(errno == expected, "mincore of a plot: %s, expected %s", errno, expected);
        final PageState state = member.process.pagemap(hand.cpu(), plot.addr(range[0]));
        Finding.require(state.mapped() == plot.page(range[0]).mapped, "pagemap of page %d: %s", range[0], state);
        final Result unknown = hand.mirror().unknown(hand.cpu(), plot.addr(range[0]), pages);
        Finding.require(unknown.errno() == Errno.EINVAL, "unknown request: %s", unknown.errno());
        final Errno held = hand.mirror()
                .checkExclusive(hand.cpu(), hand.root().plot.addr(range[0] % World.PLOT_PAGES), 1)
                .errno();
        Finding.require(held == Errno.OK || held == Errno.EPERM, "CHECK_EXCLUSIVE of a plot: %s", held);
    }
}
