package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** mprotect of own pages, to nothing, read-only or all; pages before a hole are changed, those behind are not. */
public final class ProtectPlot implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final int hole = plot.firstHole(range[0], range[1]);
        final long protection = PROTECTIONS[hand.dice().nextInt(PROTECTIONS.length)];
        final Errno errno = member.process.mprotect(
                hand.cpu(), plot.addr(range[0]), (long) (range[1] - range[0]) * World.PAGE, protection);
        final Errno expected = hole < range[1] ? Errno.ENOMEM : Errno.OK;
        Finding.require(errno == expected, "mprotect of a plot: %s, expected %s", errno, expected);
        for (int page = range[0]; page < hole; page++) {
            plot.page(page).protection = protection;
        }
    }

    private static final long[] PROTECTIONS = {0, World.READ, World.READ_WRITE, World.READ_WRITE};
}
