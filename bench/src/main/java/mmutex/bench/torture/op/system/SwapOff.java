package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.mm.Errno;

/** swapoff, while memory is reclaimed and used, and swapon again. */
public final class SwapOff implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        final Errno errno = hand.world().renewSwap(hand.cpu());
        Finding.require(errno == Errno.OK || errno == Errno.ENOMEM, "swapoff: %s", errno);
    }
}
