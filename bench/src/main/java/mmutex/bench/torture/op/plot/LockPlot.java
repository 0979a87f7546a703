package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** mlock and munlock of own pages: brought in, otherwise as they were. */
public final class LockPlot implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final long addr = plot.addr(range[0]);
        final long length = (long) (range[1] - range[0]) * World.PAGE;
        final Errno locked = member.process.mlock(hand.cpu(), addr, length);
        final Errno expected = plot.isAll(range, World.READ) ? Errno.OK : Errno.ENOMEM;
        Finding.require(locked == expected || member.reaped, "mlock of a plot: %s, expected %s", locked, expected);
        final Errno unlocked = member.process.munlock(hand.cpu(), addr, length);
        final Errno whole = plot.hasHole(range[0], range[1]) ? Errno.ENOMEM : Errno.OK;
        Finding.require(unlocked == whole, "munlock of a plot: %s, expected %s", unlocked, whole);
    }
}
