package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.fault.Signal;
import mmutex.machine.Futexes;
import mmutex.mm.Errno;

/** FUTEX_WAIT on a counter, for a short time, and FUTEX_WAKE: the kernel's look at the word restores an exclusive page. */
public final class WaitOnCounter implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final Futexes futexes = hand.world().root().futexes();
        final long addr = Counters.addr(Counters.choose(hand.dice()));
        if (hand.dice().nextBoolean()) {
            if (futexes.wake(hand.cpu(), addr, 1 + hand.dice().nextInt(2)) > 0) {
                hand.happened("sleeper woken");
            }
            return;
        }
        if (hand.cpu().loadLong(addr) == Signal.NONE) {
            final int[] looks = {hand.dice().nextInt(16) == 0 ? LONG : SHORT};
            final Errno errno = futexes.await(hand.cpu(), addr, (int) hand.cpu().value(), () -> --looks[0] < 0);
            Finding.require(errno == Errno.OK || errno == Errno.EAGAIN || errno == Errno.ETIMEDOUT, "futex: %s", errno);
        }
    }

    /** Looks at the clock until the time is over: while the waiter still spins, or when it has slept once or twice. */
    private static final int SHORT = 40;

    private static final int LONG = 53;
}
