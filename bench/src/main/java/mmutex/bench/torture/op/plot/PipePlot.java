package mmutex.bench.torture.op.plot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.machine.Pipe;
import mmutex.mm.Errno;

/** A page of the hand's own goes through a pipe: copied in, or as a reference; and out again, into another page. */
public final class PipePlot implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final Plot plot = hand.choosePlot(member);
        final int number = plot.choosePage(hand.dice());
        final Pipe pipe = new Pipe();
        if (hand.dice().nextBoolean()) {
            splice(hand, member, plot, number, pipe);
        } else {
            copy(hand, member, plot, number, pipe);
        }
        pipe.close();
    }

    /** vmsplice: what is written meanwhile may show, if the page was not shared. Whatever becomes of the page, the pipe has it. */
    private static void splice(
            final Hand hand, final Member member, final Plot plot, final int number, final Pipe pipe) {
        final Plot.Page page = plot.page(number);
        final Errno errno = pipe.splice(hand.cpu(), member.process, plot.addr(number), World.PAGE);
        final Errno expected = page.isReadable() ? Errno.OK : Errno.EFAULT;
        Finding.require(errno == expected, "vmsplice of a plot: %s, expected %s", errno, expected);
        if (errno != Errno.OK) {
            return;
        }
        hand.checkPlotPage(member, plot, number);
        final String before = page.expected();
        if (hand.dice().nextBoolean()) {
            UsePlot.write(hand, member, plot, number);
        }
        final byte[] bytes = new byte[World.PAGE];
        Finding.require(pipe.read(bytes) == bytes.length, "a pipe is short of what was spliced");
        final long found = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong();
        final String now = "0x" + Long.toHexString(found);
        Finding.require(
                before.contains(now) || page.expected().contains(now),
                "page %d through a pipe holds 0x%x, expected %s, then %s",
                number,
                found,
                before,
                page.expected());
    }

    private static void copy(final Hand hand, final Member member, final Plot plot, final int number, final Pipe pipe) {
        final Plot.Page page = plot.page(number);
        final Errno in = pipe.write(hand.cpu(), plot.addr(number), World.PAGE);
        final Errno readable = page.isReadable() ? Errno.OK : Errno.EFAULT;
        Finding.require(in == readable, "write of a plot to a pipe: %s, expected %s", in, readable);
        if (in != Errno.OK) {
            return;
        }
        final int other = plot.choosePage(hand.dice());
        final Plot.Page target = plot.page(other);
        final Errno out = pipe.read(hand.cpu(), plot.addr(other), World.PAGE);
        final Errno writable = target.isWritable() ? Errno.OK : Errno.EFAULT;
        Finding.require(out == writable, "read from a pipe into a plot: %s, expected %s", out, writable);
        if (out == Errno.OK && other != number) {
            target.holdsWhat(page);
            hand.checkPlotPage(member, plot, other);
        }
    }
}
