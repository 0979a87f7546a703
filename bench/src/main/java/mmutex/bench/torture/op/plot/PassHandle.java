package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** Another handle, of the hand's own or of a common device, takes pages and is closed with them; or all is released. */
public final class PassHandle implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final int pages = range[1] - range[0];
        final boolean own = hand.dice().nextBoolean();
        final MirrorHandle handle =
                (own ? hand.mirror().device() : hand.world().passing()).open(hand.cpu(), member.process.space());
        final byte[] data = new byte[pages * World.PAGE];
        final boolean migrate = hand.dice().nextBoolean();
        if (migrate || hand.mayMakeExclusive(plot)) {
            final Result result = migrate
                    ? handle.migrateToDevice(hand.cpu(), plot.addr(range[0]), pages, DeviceBuffer.ofArray(data))
                    : handle.exclusive(hand.cpu(), plot.addr(range[0]), pages, DeviceBuffer.ofArray(data));
            final boolean believed = migrate || hand.maker(plot) == hand.mirror();
            for (int page = range[0]; result.errno() == Errno.OK && believed && page < range[1]; page++) {
                hand.checkPlotWord(member, plot, page, World.word(data, page - range[0]));
            }
        }
        if (hand.dice().nextInt(3) == 0) {
            final Errno released =
                    handle.release(hand.cpu(), plot.addr(range[0]), 1).errno();
            Finding.require(released == Errno.OK, "RELEASE: %s", released);
        }
        handle.close(hand.cpu());
        hand.checkPlotPage(member, plot, range[0]);
    }
}
