package mmutex.bench.torture.op.plot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;

/** Reads and writes own pages by way of the kernel: /proc/PID/mem forces, process_vm_readv pins. */
public final class RemotePlot implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final Plot plot = hand.choosePlot(member);
        final int number = plot.choosePage(hand.dice());
        final Plot.Page page = plot.page(number);
        final long addr = plot.addr(number);
        final boolean pinned = hand.dice().nextBoolean();
        final byte[] bytes = new byte[World.PAGE];
        if (hand.dice().nextBoolean()) {
            final int done = pinned
                    ? member.process.readPinned(hand.cpu(), addr, bytes)
                    : member.process.readForced(hand.cpu(), addr, bytes);
            requireDone(done, page.mapped && (!pinned || page.isReadable()), "read");
            if (done != 0) {
                hand.checkPlotWord(member, plot, number, World.word(bytes, 0));
            }
            return;
        }
        final long value = hand.freshValue();
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(0, value).putLong(World.PAGE - Long.BYTES, value);
        final int done = pinned
                ? member.process.writePinned(hand.cpu(), addr, bytes)
                : member.process.writeForced(hand.cpu(), addr, bytes);
        requireDone(done, page.mapped && (!pinned || page.isWritable()), "write");
        if (done != 0) {
            page.holds(value);
        }
    }

    private static void requireDone(final int done, final boolean allowed, final String what) {
        Finding.require(
                done == (allowed ? World.PAGE : 0), "remote %s of a plot: %d bytes, allowed: %s", what, done, allowed);
    }
}
