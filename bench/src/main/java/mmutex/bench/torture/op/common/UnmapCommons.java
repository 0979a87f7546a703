package mmutex.bench.torture.op.common;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** Unmaps common pages and maps fresh ones, in two steps or one. */
public final class UnmapCommons implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final int first = hand.dice().nextInt(World.COMMONS_PAGES);
        final long addr = World.commons(first);
        final long length = (long) (1 + hand.dice().nextInt(World.COMMONS_PAGES - first)) * World.PAGE;
        if (hand.dice().nextBoolean()) {
            final Errno replaced = member.process.mmapOver(hand.cpu(), addr, length, World.READ_WRITE);
            Finding.require(replaced == Errno.OK, "mmap over common pages: %s", replaced);
            return;
        }
        final Errno unmapped = member.process.munmap(hand.cpu(), addr, length);
        Finding.require(unmapped == Errno.OK, "munmap of common pages: %s", unmapped);
        Thread.yield();
        final Errno mapped = member.process.mmap(hand.cpu(), addr, length, World.READ_WRITE);
        Finding.require(mapped == Errno.OK || mapped == Errno.EEXIST, "mmap of common pages: %s", mapped);
    }
}
