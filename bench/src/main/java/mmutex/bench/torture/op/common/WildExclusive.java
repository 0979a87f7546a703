package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.mm.Errno;

/** The test device makes common pages exclusive while others zap them: what it then maps nobody promises (Q6). */
public final class WildExclusive implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final int first = hand.dice().nextInt(World.COMMONS_PAGES);
        final int pages = 1 + hand.dice().nextInt(World.COMMONS_PAGES - first);
        final byte[] unread = new byte[pages * World.PAGE];
        final Errno errno = hand.world()
                .wild()
                .exclusive(hand.cpu(), World.commons(first), pages, DeviceBuffer.ofArray(unread))
                .errno();
        Finding.require(
                errno == Errno.OK || errno == Errno.EBUSY || errno == Errno.EFAULT || errno == Errno.ENOENT,
                "exclusive on common pages: %s",
                errno);
    }
}
