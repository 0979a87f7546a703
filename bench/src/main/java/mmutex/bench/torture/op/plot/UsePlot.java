package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.fault.Signal;

/** Reads a page of the hand's own, or writes a new value to it. */
public final class UsePlot implements TortureOperation {
    @Override
    public int weight() {
        return 40;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot plot = hand.choosePlot(member);
        final int number = plot.choosePage(hand.dice());
        if (hand.dice().nextBoolean()) {
            hand.checkPlotPage(member, plot, number);
        } else {
            write(hand, member, plot, number);
        }
    }

    public static void write(final Hand hand, final Member member, final Plot plot, final int number) {
        final Plot.Page page = plot.page(number);
        final long value = hand.freshValue();
        final Signal signal = hand.cpu().storeLong(plot.addr(number), value);
        if (member.reaped && signal == Signal.BUS_ADRERR) {
            return;
        }
        final Signal expected =
                !page.mapped ? Signal.SEGV_MAPERR : page.isWritable() ? Signal.NONE : Signal.SEGV_ACCERR;
        Finding.require(
                signal == expected,
                "write to page %d of %s: %s, expected %s",
                number,
                hand.cpu().name(),
                signal,
                expected);
        if (signal == Signal.NONE) {
            // The first word may still be what it may have been; the last one makes it certain.
            hand.cpu().storeLong(plot.addr(number) + World.PAGE - Long.BYTES, value);
            page.holds(value);
        }
    }
}
