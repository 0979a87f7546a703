package mmutex.bench.torture.op;

import mmutex.mm.Errno;

/** Unmaps pages of a file and maps them again: shared ones are as they were, private ones the file's again. */
final class RemapScroll implements TortureOperation {
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
        final long addr = shared ? scroll.sharedAddr(range[0]) : scroll.privateAddr(range[0]);
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
