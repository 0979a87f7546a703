package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** Own pages move to the device's memory and back; what is in them stays (I35). */
public final class MigratePlot implements TortureOperation {
    @Override
    public int weight() {
        return 8;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        final long addr = plot.addr(range[0]);
        final int pages = range[1] - range[0];
        if (hand.dice().nextInt(3) == 0) {
            accept(hand.mirror().migrateToSystem(hand.cpu(), addr, pages), "migration to the system");
            return;
        }
        final byte[] data = new byte[pages * World.PAGE];
        final Result result = hand.mirror().migrateToDevice(hand.cpu(), addr, pages, DeviceBuffer.ofArray(data));
        accept(result, "migration to the device");
        if (result.errno() == Errno.OK) {
            for (int i = 0; i < pages; i++) {
                hand.checkPlotWord(member, plot, range[0] + i, World.word(data, i));
            }
        }
    }

    /** Holes and forbidden pages are refused; busy and exclusive ones passed over, and then perhaps not readable. */
    public static void accept(final Result result, final String what) {
        Finding.require(
                result.errno() == Errno.OK
                        || result.errno() == Errno.EINVAL
                        || result.errno() == Errno.ENOENT
                        || result.errno() == Errno.EBUSY
                        || result.errno() == Errno.ENOMEM,
                "%s: %s",
                what,
                result.errno());
    }
}
