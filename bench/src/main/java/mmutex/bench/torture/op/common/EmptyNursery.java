package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Nursery;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.machine.UserFaultFd;
import mmutex.mm.Errno;

/** Makes faults for the handler: pages are discarded or write-protected, or have no handler for a while. */
public final class EmptyNursery implements TortureOperation {
    @Override
    public int weight() {
        return 6;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final int page = hand.dice().nextInt(Nursery.PAGES);
        final UserFaultFd faults = hand.world().nursery().faults();
        switch (hand.dice().nextInt(4)) {
            case 0:
                final Errno errno = faults.writeProtect(hand.cpu(), Nursery.addr(page), World.PAGE, true);
                Finding.require(
                        errno == Errno.OK || errno == Errno.ENOENT && !Nursery.isStrict(page),
                        "userfaultfd write-protect: %s",
                        errno);
                break;
            case 1:
                if (!Nursery.isStrict(page)) {
                    Nursery.require(faults.unregister(hand.cpu(), Nursery.addr(page), World.PAGE), "unregister");
                    Thread.yield();
                    Nursery.require(
                            faults.register(hand.cpu(), Nursery.addr(page), World.PAGE, true, true), "register");
                }
                break;
            default:
                final Advice advice = hand.dice().nextInt(3) == 0 ? Advice.FREE : Advice.DONTNEED;
                final int pages = 1 + hand.dice().nextInt(Nursery.PAGES - page);
                final Errno discarded =
                        member.process.madvise(hand.cpu(), Nursery.addr(page), (long) pages * World.PAGE, advice);
                Finding.require(discarded == Errno.OK, "madvise %s: %s", advice, discarded);
        }
    }
}
