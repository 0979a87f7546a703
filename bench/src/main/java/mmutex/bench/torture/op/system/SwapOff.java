package mmutex.bench.torture.op;

import mmutex.mm.Errno;

/** swapoff, while memory is reclaimed and used, and swapon again. */
final class SwapOff implements TortureOperation {
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
