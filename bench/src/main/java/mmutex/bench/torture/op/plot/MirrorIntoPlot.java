package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.device.MirrorHandle.Result;
import mmutex.machine.UserBuffer;
import mmutex.mm.Errno;

/** The test device reads pages into a buffer in the process's own memory, which faults and restores like any other. */
public final class MirrorIntoPlot implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final Plot plot = hand.choosePlot(member);
        final int from = plot.choosePage(hand.dice());
        final int to = plot.choosePage(hand.dice());
        final UserBuffer buffer = new UserBuffer(plot.addr(to));
        final boolean exclusive = hand.dice().nextBoolean() && !plot.isLarge();
        final Result result = exclusive
                ? hand.mirror().exclusive(hand.cpu(), plot.addr(from), 1, buffer)
                : hand.mirror().read(hand.cpu(), plot.addr(from), 1, buffer);
        final Plot.Page source = plot.page(from);
        final Plot.Page target = plot.page(to);
        final boolean possible = target.isWritable() && (exclusive ? source.isWritable() : source.isReadable());
        Finding.require(
                result.errno() == Errno.OK ? possible : !possible || exclusive,
                "device %s of page %d into page %d: %s",
                exclusive ? "exclusive" : "read",
                from,
                to,
                result.errno());
        if (result.errno() == Errno.OK && from != to) {
            target.holdsWhat(source);
            hand.checkPlotPage(member, plot, to);
        }
    }
}
