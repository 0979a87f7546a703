package mmutex.bench.torture.op.common;

import mmutex.bench.torture.op.plot.MigratePlot;
import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** Common pages and counters move between the memories of several devices and the machine's, while all use them. */
public final class MigrateCommons implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final boolean counters = hand.dice().nextBoolean();
        final int all = counters ? Counters.SMALL_PAGES : World.COMMONS_PAGES;
        final int first = hand.dice().nextInt(all);
        final int pages = 1 + hand.dice().nextInt(all - first);
        final long addr = counters ? Counters.pageAddr(first) : World.commons(first);
        final byte[] data = new byte[pages * World.PAGE];
        // Nobody zaps counters; what the device maps of common pages nobody promises.
        final MirrorHandle handle = counters ? hand.mirror() : hand.stray();
        final Result result = hand.dice().nextInt(3) == 0
                ? handle.migrateToSystem(hand.cpu(), addr, pages)
                : handle.migrateToDevice(hand.cpu(), addr, pages, DeviceBuffer.ofArray(data));
        MigratePlot.accept(result, "migration of what all use");
        if (result.errno() == Errno.OK) {
            hand.happened("migration of what all use");
        }
    }
}
