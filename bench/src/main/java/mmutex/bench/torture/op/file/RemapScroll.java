package mmutex.bench.torture.op.file;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Scroll;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.mm.Errno;

/** Unmaps pages of a file and maps them again: shared ones are as they were, private ones the file's again. */
public final class RemapScroll implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final Scroll scroll = hand.scroll();
        final int[] range = scroll.chooseRange(hand.dice());
        final boolean shared = hand.dice().nextBoolean();
        final long addr = scroll.addr(range[0], shared);
        final long length = (long) (range[1] - range[0]) * World.PAGE;
        final Errno unmapped = member.process.munmap(hand.cpu(), addr, length);
        Finding.require(unmapped == Errno.OK, "munmap of a file: %s", unmapped);
        Thread.yield();
        final Errno mapped = member.process.mmapFile(
                hand.cpu(), addr, length, World.READ_WRITE, scroll.file(), (long) range[0] * World.PAGE, shared);
        Finding.require(mapped == Errno.OK, "mmap of a file: %s", mapped);
        if (!shared) {
            member.copies.dropped(range[0], range[1]);
        }
    }
}
