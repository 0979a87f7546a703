package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** Makes counters read-only for a moment. */
public final class ProtectCounters implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final boolean small = hand.dice().nextBoolean();
        // Of a large folio: all, or some first pages.
        final int all = small ? Counters.SMALL_PAGES : World.FOLIO_PAGES;
        final int first = small ? hand.dice().nextInt(all) : 0;
        final int pages = small || hand.dice().nextBoolean() ? 1 + hand.dice().nextInt(all - first) : all;
        final long addr = (small ? World.COUNTERS : Counters.FOLIO) + (long) first * World.PAGE;
        protect(hand, addr, pages, World.READ);
        Thread.yield();
        protect(hand, addr, pages, World.READ_WRITE);
    }

    private static void protect(final Hand hand, final long addr, final int pages, final long protection) {
        final Errno errno = hand.world().root().mprotect(hand.cpu(), addr, (long) pages * World.PAGE, protection);
        Finding.require(errno == Errno.OK, "mprotect of counters: %s", errno);
    }
}
