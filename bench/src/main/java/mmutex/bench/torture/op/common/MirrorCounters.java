package mmutex.bench.torture.op.common;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** The test device reads counters or makes them exclusive; what it reads does not run backwards. */
public final class MirrorCounters implements TortureOperation {
    @Override
    public int weight() {
        return 5;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final int first = hand.dice().nextInt(Counters.PAGES);
        final int pages = first < Counters.SMALL_PAGES ? 1 + hand.dice().nextInt(Counters.SMALL_PAGES - first) : 1;
        final long addr = Counters.pageAddr(first);
        final byte[] data = new byte[pages * World.PAGE];
        final boolean exclusive = hand.dice().nextBoolean()
                && hand.world().mayHaveManyMakers()
                && (first < Counters.SMALL_PAGES || hand.dice().nextInt(4) == 0)
                && (!hand.world().profile().makeConfusesSubpages()
                        || first < Counters.devicePages(hand.world().profile()));
        final Result result = exclusive
                ? hand.mirror().exclusive(hand.cpu(), addr, pages, DeviceBuffer.ofArray(data))
                : hand.mirror().read(hand.cpu(), addr, pages, DeviceBuffer.ofArray(data));
        if (result.errno() != Errno.OK) {
            // Read-only at the moment, in somebody's hands, or taken away again.
            Finding.require(
                    result.errno() == Errno.EBUSY
                            || exclusive && (result.errno() == Errno.EFAULT || result.errno() == Errno.ENOENT),
                    "%s of counters: %s",
                    exclusive ? "exclusive" : "device read",
                    result.errno());
            return;
        }
        final ByteBuffer words = ByteBuffer.wrap(data).order(ByteOrder.nativeOrder());
        for (int i = 0; i < pages * Counters.PER_PAGE; i++) {
            final int counter = first * Counters.PER_PAGE + i;
            final int at = (int) (Counters.addr(counter) - addr);
            hand.sawCounter(counter, words.getLong(at), "device");
        }
    }
}
