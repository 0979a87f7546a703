package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** Changes the protection of common pages; over a hole that fails. */
public final class ProtectCommons implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int first = hand.dice().nextInt(World.COMMONS_PAGES);
        final int pages = 1 + hand.dice().nextInt(World.COMMONS_PAGES - first);
        final long protection = hand.dice().nextInt(3) == 0 ? World.READ : World.READ_WRITE;
        final Errno errno =
                member.process.mprotect(hand.cpu(), World.commons(first), (long) pages * World.PAGE, protection);
        Finding.require(errno == Errno.OK || errno == Errno.ENOMEM, "mprotect of common pages: %s", errno);
    }
}
