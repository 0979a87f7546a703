package mmutex.bench.torture.op;

import mmutex.mm.Errno;

/** mlock and munlock of own pages: brought in, otherwise as they were. */
final class LockPlot implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int[] range = hand.randomPlotRange();
        final long addr = hand.plotAddr(range[0]);
        final long length = (long) (range[1] - range[0]) * World.PAGE;
        boolean readable = true;
        for (int page = range[0]; page < range[1]; page++) {
            readable &= member.plot.page(page).isReadable();
        }
        final Errno locked = member.process.mlock(hand.cpu(), addr, length);
        final Errno expected = readable ? Errno.OK : Errno.ENOMEM;
        Finding.require(locked == expected || member.reaped, "mlock of a plot: %s, expected %s", locked, expected);
        final Errno unlocked = member.process.munlock(hand.cpu(), addr, length);
        final Errno whole = member.plot.hasHole(range[0], range[1]) ? Errno.ENOMEM : Errno.OK;
        Finding.require(unlocked == whole, "munlock of a plot: %s, expected %s", unlocked, whole);
    }
}
